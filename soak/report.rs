//! Markdown tables, on the screen and in a section of a document.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

pub struct Report {
    section: String,
    text: String,
}

impl Report {
    pub fn new(section: &str) -> Report {
        Report { section: section.to_string(), text: String::new() }
    }

    pub fn line(&mut self, text: &str) {
        println!("{text}");
        writeln!(self.text, "{text}").expect("writing to a string cannot fail");
    }

    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.line(&format!("| {} |", head.join(" | ")));
        self.line(&format!("|{}", "---|".repeat(head.len())));
        rows.iter().for_each(|row| self.line(&format!("| {} |", row.join(" | "))));
        self.line("");
    }

    /// Puts the text between the section's marks in the document, or at its end with new marks.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let (begin, end) =
            (format!("<!-- soak {} -->", self.section), format!("<!-- /soak {} -->", self.section));
        let old = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => "# Measured\n".to_string(),
            Err(e) => return Err(e),
        };
        let block = format!("{begin}\n{}\n{end}", self.text.trim_end());
        let new = match (old.find(&begin), old.find(&end)) {
            (Some(from), Some(until)) if from < until => {
                format!("{}{block}{}", &old[..from], &old[until + end.len()..])
            }
            _ => format!("{}\n{block}\n", old.trim_end_matches('\n').to_owned() + "\n"),
        };
        fs::write(path, new)
    }
}

/// What the numbers were measured on.
pub fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|l| l.strip_prefix("model name"));
    let model = model.map_or("unknown CPU", |m| m.trim_start_matches([' ', '\t', ':']));
    format!("{cpus} × {model}, generator and server on the same machine")
}

pub fn thousands(n: f64) -> String {
    let digits = format!("{:.0}", n.abs());
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if n <= -0.5 { format!("-{out}") } else { out }
}
