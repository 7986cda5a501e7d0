//! Embeds what `make web tracker` built: the dashboard and the tracker, with their compressed twins.
//! A checkout without them still builds; the server then says what is missing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut out = String::from("static FILES: &[File] = &[\n");
    for (folder, prefix) in [("web/dist", ""), ("tracker/dist", "/tracker")] {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        walk(&folder, &mut files)?;
        files.sort();
        for file in files.iter().filter(|f| !is_twin(f)) {
            let name = file.strip_prefix(&folder).expect("it was found there");
            let url = format!("{prefix}/{}", name.display());
            let etag = fnv1a(&fs::read(file)?);
            writeln!(
                out,
                "File {{ path: {url:?}, etag: \"\\\"{etag:016x}\\\"\", plain: include_bytes!({file:?}), \
                 gzip: {}, brotli: {} }},",
                twin(file, "gz"),
                twin(file, "br")
            )
            .expect("writing to a string");
        }
    }
    out.push_str("];\n");
    let target = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("assets.rs");
    fs::write(target, out)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { walk(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn is_twin(file: &Path) -> bool {
    file.extension().is_some_and(|e| e == "gz" || e == "br")
}

fn twin(file: &Path, extension: &str) -> String {
    let path = PathBuf::from(format!("{}.{extension}", file.display()));
    if !path.is_file() {
        return "None".into();
    }
    println!("cargo::rerun-if-changed={}", path.display());
    format!("Some(include_bytes!({path:?}))")
}

/// FNV-1a: names a version of a file; nothing depends on its being hard to forge.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
