//! The operations that a guide shows, and the answers it shows to them.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{list, text};

/// What differs from log to log. It stands as `…` in a guide.
const UNSTEADY: [&str; 12] = [
    "id",
    "at",
    "position",
    "publishedAt",
    "submittedAt",
    "submission",
    "digest",
    "packageDigest",
    "endCursor",
    "listing",
    "subject",
    "policy",
];

/// A guide in `docs/guides`, read as its text and its operations.
pub struct Guide {
    path: PathBuf,
    /// Text and operations in turns: every other one is an operation with its answer.
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    Example(Example),
}

/// An operation, and what the guide says it is answered.
#[derive(Debug, Clone)]
pub struct Example {
    pub name: String,
    pub document: String,
    pub answer: Option<String>,
}

impl Guide {
    /// # Panics
    ///
    /// If there is no such guide, or an operation in it has no name.
    #[must_use]
    pub fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides").join(name);
        let guide = fs::read_to_string(&path).expect("the guide can be read");
        let (mut parts, mut rest) = (vec![], guide.as_str());
        while let Some((before, after)) = rest.split_once("```graphql\n") {
            let (document, mut behind) = after.split_once("```\n").expect("a block ends");
            let mut answer = None;
            if let Some((json, after)) = behind
                .strip_prefix("\n```json\n")
                .and_then(|json| json.split_once("```\n"))
            {
                (answer, behind) = (Some(json.to_owned()), after);
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Example(Example {
                name: name_of(document),
                document: document.to_owned(),
                answer,
            }));
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        Self { path, parts }
    }

    pub fn examples(&self) -> impl Iterator<Item = &Example> {
        self.parts.iter().filter_map(|part| match part {
            Part::Example(example) => Some(example),
            Part::Text(_) => None,
        })
    }

    /// Writes the guide with these answers, in the order of its operations.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn bless(&self, answers: &[String]) {
        let (mut guide, mut answers) = (String::new(), answers.iter());
        for part in &self.parts {
            let written = match part {
                Part::Text(text) => write!(guide, "{text}"),
                Part::Example(Example { document, .. }) => {
                    let answer = answers.next().expect("every operation has an answer");
                    write!(guide, "```graphql\n{document}```\n\n```json\n{answer}```\n")
                }
            };
            written.expect("a string takes what is written");
        }
        fs::write(&self.path, guide).expect("the guide can be written");
    }
}

fn name_of(document: &str) -> String {
    let mut words = document.split([' ', '(', '{']).filter(|word| !word.is_empty());
    let name = words.nth(1).filter(|name| name.starts_with(char::is_uppercase));
    name.unwrap_or_else(|| panic!("an operation without a name: {document}"))
        .to_owned()
}

/// An answer as a guide shows it: two spaces deep, and short where it differs from log to log.
#[must_use]
pub fn shown(answer: &Value) -> String {
    let mut steady = answer.clone();
    hide(&mut steady);
    format!("{steady:#}\n")
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if UNSTEADY.contains(&name.as_str()) => "…".clone_into(text),
                    Value::String(text) => shorten(text),
                    value => hide(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Long text is shown by how it begins.
fn shorten(text: &mut String) {
    const SHOWN: usize = 60;
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(end);
        text.push('…');
    }
}

/// The one of `items` in a list of `answer` that has `value` at `pointer`.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn item<'a>(answer: &'a Value, items: &str, pointer: &str, value: &str) -> &'a Value {
    let found = list(answer, items).iter().find(|item| text(item, pointer) == value);
    found.unwrap_or_else(|| panic!("no {value} at {pointer} of {items} in {answer:#}"))
}
