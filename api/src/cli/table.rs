//! What commands print: lines, and tables for people.

use std::io::{self, Write as _};

use serde_json::Value;

/// Prints a line, or returns the error: somebody may have stopped reading.
macro_rules! line {
    ($($words:tt)*) => { $crate::cli::table::print_line(format_args!($($words)*))? };
}
pub(super) use line;

pub fn print_line(words: std::fmt::Arguments<'_>) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{words}")
}

/// Prints rows in columns as wide as what is in them.
pub fn print(headings: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let mut widths: Vec<_> = headings.iter().map(|heading| heading.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let headings: Vec<_> = headings.iter().map(|heading| heading.to_uppercase()).collect();
    for row in std::iter::once(&headings).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        line!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    Ok(())
}

/// Text from anywhere as it may be shown on a terminal: one line, and nothing that steers it.
pub fn shown(text: &str) -> String {
    let plain = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(plain).collect()
}

/// A value in a cell.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => shown(text),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{name}={}", cell(value)));
            members.collect::<Vec<_>>().join(" ")
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_does_not_steer_the_terminal() {
        assert_eq!(shown("re\u{1b}[31md\nis\u{9b}"), "re\\u{1b}[31md\\nis\\u{9b}");
        assert_eq!(shown("Grüße 龍"), "Grüße 龍");
    }
}
