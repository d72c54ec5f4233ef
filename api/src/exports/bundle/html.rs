//! The page of a bundle, for people: nothing of it is loaded from elsewhere, nothing in it runs, and it prints.

use std::fmt::{self, Write as _};

use chrono::{DateTime, SecondsFormat, Utc};
use domain::app::Exception;
use eventstore::transparency::SignedCheckpoint;

use super::{Ends, INSTRUCTIONS, POPULATION, proof_path, statement_path};
use crate::exports::{
    Export,
    evidence::{ERASED, Evidence, Person},
};

const STYLE: &str = include_str!("page.css");

/// Text as text, whoever wrote it: also in an attribute.
struct Escaped<T>(T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.to_string().chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// What is written to memory is written.
struct Page<'a>(&'a mut Vec<u8>);

impl fmt::Write for Page<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

pub fn begin(export: &Export, checkpoint: &SignedCheckpoint, ends: Option<Ends>, out: &mut Vec<u8>) {
    let _ = try_begin(export, checkpoint, ends, &mut Page(out));
}

fn try_begin(export: &Export, checkpoint: &SignedCheckpoint, ends: Option<Ends>, page: &mut Page<'_>) -> fmt::Result {
    let (prepared, head) = (&export.prepared, checkpoint.checkpoint());
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Review decisions</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>Review decisions</h1>\n<table class=\"facts\">\n"
    )?;
    fact(page, "Log", &head.origin)?;
    fact(page, "As of", format!("{} events", prepared.size))?;
    fact(
        page,
        "Export",
        format!("{}, recorded at position {}", prepared.export, export.position),
    )?;
    for (name, bound) in [("From", prepared.selection.from), ("Until", prepared.selection.until)] {
        bound.map_or(Ok(()), |bound| fact(page, name, time(bound)))?;
    }
    for (name, id) in [
        ("Workspace", prepared.selection.workspace.map(|id| id.to_string())),
        ("App", prepared.selection.app.map(|id| id.to_string())),
        ("Decision", prepared.selection.decision.map(|id| id.to_string())),
    ] {
        id.map_or(Ok(()), |id| fact(page, name, id))?;
    }
    fact(page, "Decisions", prepared.count)?;
    if let Some(ends) = ends {
        let (first, last) = (time(ends.first_at), time(ends.last_at));
        fact(page, "First", format!("position {}, {first}", ends.first_position))?;
        fact(page, "Last", format!("position {}, {last}", ends.last_position))?;
    }
    writeln!(
        page,
        "</table>\n<p>The same decisions are in <a href=\"{POPULATION}\">{POPULATION}</a>. This page proves nothing by \
         itself: <a href=\"{INSTRUCTIONS}\">{INSTRUCTIONS}</a> says how to verify the bundle.</p>"
    )
}

pub fn decision(evidence: &Evidence, out: &mut Vec<u8>) {
    let _ = try_decision(evidence, &mut Page(out));
}

fn try_decision(e: &Evidence, page: &mut Page<'_>) -> fmt::Result {
    let outcome = e.decision.as_str();
    let version = e.subject.version.as_ref().map_or("listing", |version| version.as_str());
    writeln!(
        page,
        "<article id=\"d{}\">\n<h2>{} {} <span class=\"{outcome}\">{outcome}</span></h2>\n<table class=\"facts\">",
        e.position,
        Escaped(&e.subject.chart),
        Escaped(version),
    )?;
    fact(page, "Decided", time(e.decided_at))?;
    fact(page, "By", person(e.reviewer.person.as_ref()))?;
    fact(page, "In the role of", list(&e.reviewer.roles))?;
    fact(page, "Allowed by", e.reviewer.permission)?;
    if let Some(stage) = &e.stage {
        let more = if e.is_last {
            ""
        } else {
            ", with approvals still missing"
        };
        fact(page, "Stage", format!("{stage}{more}"))?;
    }
    fact(page, "Meaning of the signature", e.meaning.as_str())?;
    match (&e.reason, e.erased.contains(&"reason")) {
        (Some(reason), _) => fact(page, "Reason", reason)?,
        (None, true) => fact(page, "Reason", ERASED)?,
        (None, false) => {}
    }
    let workspace = e.subject.workspace.name.as_deref().unwrap_or_default();
    fact(page, "Workspace", format!("{workspace} ({})", e.subject.workspace.id))?;
    fact(page, "App", e.subject.app)?;
    e.subject
        .package
        .map_or(Ok(()), |package| fact(page, "Package", package))?;
    fact(page, "Listing", e.subject.listing)?;
    let submitted = format!(
        "{} by {}",
        time(e.submission.submitted_at),
        person(e.submission.submitted_by.as_ref())
    );
    fact(page, "Submitted", submitted)?;
    fact(page, "Submission", e.submission.id)?;
    fact(
        page,
        "Authors",
        list(e.authors.iter().map(|author| person(Some(author)))),
    )?;
    fact(page, "Author and reviewer differ", duties(e))?;
    fact(
        page,
        "Exception",
        e.separation_of_duties.exception.map_or("none", Exception::as_str),
    )?;
    let policy = e.policy.text.as_ref().map_or(ERASED, |text| text.get());
    fact(page, "Policy", format!("{policy} ({})", e.policy.digest))?;
    let earlier = match e.earlier.last {
        Some(last) => format!("{}, the last one {last}", e.earlier.count),
        None => "none".to_owned(),
    };
    fact(page, "Earlier decisions on it", earlier)?;
    fact(page, "Decision", e.id)?;
    fact(page, "Position in the log", e.position)?;
    let (statement, proof) = (statement_path(e.position), proof_path(e.position));
    writeln!(
        page,
        "<tr><th>Evidence</th><td><a href=\"{statement}\">statement</a>, <a href=\"{proof}\">proof</a></td></tr>\n\
         </table>\n</article>"
    )
}

pub fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"</body>\n</html>\n");
}

fn fact(page: &mut Page<'_>, name: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(page, "<tr><th>{name}</th><td>{}</td></tr>", Escaped(value))
}

fn duties(e: &Evidence) -> &'static str {
    match (e.separation_of_duties.held, e.separation_of_duties.required) {
        (true, Some(true)) => "yes, as the policy demands",
        (true, _) => "yes",
        (false, Some(false)) => "no, and the policy does not demand it",
        (false, _) => "no",
    }
}

fn person(person: Option<&Person>) -> String {
    person.map_or_else(
        || "Charthouse itself".to_owned(),
        |person| format!("{} ({})", person.name.as_deref().unwrap_or(ERASED), person.id),
    )
}

fn list(items: impl IntoIterator<Item = impl fmt::Display>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(", ")
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        let hostile = "<script>alert('1')</script> & \"quoted\"";
        let escaped = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;quoted&quot;";
        assert_eq!(Escaped(hostile).to_string(), escaped);
        let mut out = vec![];
        fact(&mut Page(&mut out), "Reason", hostile).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!("<tr><th>Reason</th><td>{escaped}</td></tr>\n")
        );
    }
}
