//! Tables for people: aligned columns, two spaces between them, no lines.

/// The rows under their header. Without rows: `none`, in words.
pub(super) fn table(header: &[&str], rows: &[Vec<String>], none: &str) -> String {
    if rows.is_empty() {
        return format!("{none}\n");
    }
    let width = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = header.iter().map(|title| width(title)).collect();
    for row in rows {
        assert_eq!(row.len(), header.len(), "a row has a cell for each title");
        for (most, cell) in widths.iter_mut().zip(row) {
            *most = (*most).max(width(cell));
        }
    }
    let line = |cells: &[&str]| {
        let padded = cells.iter().zip(&widths);
        let line: String = padded.map(|(cell, &most)| format!("{cell:<most$}  ")).collect();
        format!("{}\n", line.trim_end())
    };
    let mut text = line(header);
    for row in rows {
        text += &line(&row.iter().map(String::as_str).collect::<Vec<_>>());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_aligned() {
        let rows =
            [vec!["1".to_owned(), "ä.example".to_owned()], vec!["12".to_owned(), "b".to_owned()]];
        assert_eq!(table(&["ID", "DOMAIN"], &rows, ""), "ID  DOMAIN\n1   ä.example\n12  b\n");
        assert_eq!(table(&["ID"], &[], "there are no sites"), "there are no sites\n");
    }
}
