//! Evidence as CSV: RFC 4180, with a header, for people with spreadsheets as well as for programs.
//!
//! A spreadsheet takes a cell that starts with `=` for a formula, and what is in a cell was written by strangers. So
//! whatever could start one gets an apostrophe before it, which says that it is text. Other formats are exact.

use std::fmt::{self, Write as _};

use chrono::{DateTime, SecondsFormat, Utc};
use domain::version_number::VersionNumber;

use super::evidence::{ERASED, Evidence, Person};

/// The name of a column, and what stands in it.
type Column = (&'static str, fn(&Evidence, &mut Cell<'_>) -> fmt::Result);

const COLUMNS: &[Column] = &[
    ("position", |e, cell| write!(cell, "{}", e.position)),
    ("decision_id", |e, cell| write!(cell, "{}", e.id)),
    ("decided_at", |e, cell| cell.time(e.decided_at)),
    ("decision", |e, cell| cell.write_str(e.decision.as_str())),
    ("meaning", |e, cell| cell.write_str(e.meaning.as_str())),
    ("reason", |e, cell| {
        cell.sealed(e.reason.as_deref(), e.erased.contains(&"reason"))
    }),
    ("stage", |e, cell| cell.option(e.stage.as_ref())),
    ("is_last", |e, cell| write!(cell, "{}", e.is_last)),
    ("reviewer_id", |e, cell| {
        cell.option(e.reviewer.person.as_ref().map(|p| p.id))
    }),
    ("reviewer", |e, cell| cell.name(e.reviewer.person.as_ref())),
    ("reviewer_roles", |e, cell| cell.list(&e.reviewer.roles)),
    ("permission", |e, cell| cell.write_str(e.reviewer.permission.as_str())),
    ("subject", |e, cell| cell.write_str(e.subject.kind.as_str())),
    ("workspace_id", |e, cell| write!(cell, "{}", e.subject.workspace.id)),
    ("workspace", |e, cell| cell.option(e.subject.workspace.name.as_ref())),
    ("app_id", |e, cell| write!(cell, "{}", e.subject.app)),
    ("chart", |e, cell| cell.write_str(e.subject.chart.as_str())),
    ("version", |e, cell| {
        cell.option(e.subject.version.as_ref().map(VersionNumber::as_str))
    }),
    ("package", |e, cell| cell.option(e.subject.package)),
    ("listing", |e, cell| write!(cell, "{}", e.subject.listing)),
    ("submission_id", |e, cell| write!(cell, "{}", e.submission.id)),
    ("submitted_at", |e, cell| cell.time(e.submission.submitted_at)),
    ("submitter_id", |e, cell| {
        cell.option(e.submission.submitted_by.as_ref().map(|p| p.id))
    }),
    ("submitter", |e, cell| cell.name(e.submission.submitted_by.as_ref())),
    ("author_ids", |e, cell| {
        cell.list(e.authors.iter().map(|author| author.id))
    }),
    ("authors", |e, cell| {
        cell.list(e.authors.iter().map(|author| author.name.as_deref().unwrap_or(ERASED)))
    }),
    ("policy", |e, cell| write!(cell, "{}", e.policy.digest)),
    ("policy_text", |e, cell| {
        cell.option(e.policy.text.as_ref().map(|text| text.get()))
    }),
    ("duties_separate_required", |e, cell| {
        cell.option(e.separation_of_duties.required)
    }),
    ("duties_separate", |e, cell| {
        write!(cell, "{}", e.separation_of_duties.held)
    }),
    ("exception", |e, cell| cell.option(e.separation_of_duties.exception)),
    ("earlier_decisions", |e, cell| write!(cell, "{}", e.earlier.count)),
    ("previous_decision_id", |e, cell| cell.option(e.earlier.last)),
    ("erased", |e, cell| cell.list(&e.erased)),
];

pub fn header(out: &mut Vec<u8>) {
    for (n, (name, _)) in COLUMNS.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

pub fn row(evidence: &Evidence, out: &mut Vec<u8>) {
    for (n, (_, write)) in COLUMNS.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        let mut cell = Cell { start: out.len(), out };
        // Memory does not fail.
        let _ = write(evidence, &mut cell);
        cell.finish();
    }
    out.extend_from_slice(b"\r\n");
}

/// One cell, at the end of the row so far. It is written bare, and dressed if it has to be.
struct Cell<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl Cell<'_> {
    fn time(&mut self, time: DateTime<Utc>) -> fmt::Result {
        self.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }

    fn option(&mut self, value: Option<impl fmt::Display>) -> fmt::Result {
        value.map_or(Ok(()), |value| write!(self, "{value}"))
    }

    fn name(&mut self, person: Option<&Person>) -> fmt::Result {
        let name = person.and_then(|person| person.name.as_deref());
        self.sealed(name, person.is_some())
    }

    /// Text that was sealed, or that it was erased if it is gone although there was one.
    fn sealed(&mut self, text: Option<&str>, was_there: bool) -> fmt::Result {
        self.write_str(text.unwrap_or(if was_there { ERASED } else { "" }))
    }

    fn list(&mut self, items: impl IntoIterator<Item = impl fmt::Display>) -> fmt::Result {
        for (n, item) in items.into_iter().enumerate() {
            let separator = if n > 0 { "; " } else { "" };
            write!(self, "{separator}{item}")?;
        }
        Ok(())
    }

    fn finish(self) {
        let Self { out, start } = self;
        let bare = &out[start..];
        let is_formula = may_start_a_formula(bare);
        let is_quoted = is_formula || bare.iter().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n'));
        if !is_quoted {
            return;
        }
        let bare = out.split_off(start);
        out.push(b'"');
        if is_formula {
            out.push(b'\'');
        }
        for byte in bare {
            if byte == b'"' {
                out.push(b'"');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
}

impl fmt::Write for Cell<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Whether some spreadsheet would calculate it: also by the wide forms of the signs, and by what white space hides.
fn may_start_a_formula(cell: &[u8]) -> bool {
    let text = std::str::from_utf8(cell).unwrap_or_default();
    let hidden = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
    let shown = text.trim_start_matches(hidden);
    let first = shown.chars().next();
    first.is_some_and(|first| matches!(first, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'))
        || text.starts_with(['\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut out = b"before,".to_vec();
        let mut cell = Cell {
            start: out.len(),
            out: &mut out,
        };
        cell.write_str(text).unwrap();
        cell.finish();
        String::from_utf8(out)
            .unwrap()
            .strip_prefix("before,")
            .unwrap()
            .to_owned()
    }

    #[test]
    fn a_cell_is_quoted_when_it_has_to_be_and_only_then() {
        assert_eq!(cell(""), "");
        assert_eq!(cell("plain text; é"), "plain text; é");
        assert_eq!(cell("one, two"), "\"one, two\"");
        assert_eq!(cell("she said \"no\""), "\"she said \"\"no\"\"\"");
        assert_eq!(cell("two\r\nlines"), "\"two\r\nlines\"");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for text in [
            "=1+1",
            "+1",
            "-1+1|cmd",
            "@SUM(A1)",
            "\t=1",
            "  =1",
            "\u{a0}=1",
            "\u{feff}=1",
            "\0=1",
            "＝1",
        ] {
            assert_eq!(cell(text), format!("\"'{text}\""), "{text:?}");
        }
        assert_eq!(cell("=\"x\",1"), "\"'=\"\"x\"\",1\"");
        assert_eq!(cell("1=1"), "1=1");
    }

    #[test]
    fn every_column_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = COLUMNS.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), COLUMNS.len());
    }
}
