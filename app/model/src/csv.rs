//! Lines of tables that other programs read.

/// Cells as a line of such a table.
pub fn line<const N: usize>(cells: [String; N]) -> String {
    let mut line = cells.map(|it| cell(&it)).join(",");
    line.push_str("\r\n");
    line
}

/// A cell as it stands in a table. What a spreadsheet would take for a formula begins with an apostrophe: whoever names a
/// dataset must not run anything on the machine of whoever opens the table.
fn cell(text: &str) -> String {
    let begins = text.trim_start_matches(|it: char| it == ' ' || it.is_control()).chars().next();
    let dangerous = matches!(begins, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'))
        || text.starts_with(['\t', '\r', '\n']);
    let safe = if dangerous { format!("'{text}") } else { text.to_owned() };
    if dangerous || safe.contains([',', '"', '\n', '\r', ';']) {
        return format!("\"{}\"", safe.replace('"', "\"\""));
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_a_formula() {
        for name in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "\u{0}=1"] {
            let cell = cell(name);
            assert!(cell.starts_with("\"'") && cell.ends_with('"'), "{name:?}: {cell}");
        }
        assert_eq!(cell("a=1-2"), "a=1-2");
        assert_eq!(cell("=\"a\""), "\"'=\"\"a\"\"\"");
    }
}
