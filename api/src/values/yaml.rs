//! From text to values. What it may cost is checked before: see [`crate::chart_archive::shapes`].

use std::{borrow::Cow, collections::HashMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::Value;

use super::{Values, ValuesError, scalar};
use crate::chart_archive::{Shape, shapes};

/// Reads values as somebody wrote them: the first document, if there are several. Nothing is no values.
///
/// # Errors
///
/// [`ValuesError`], also for a key that is there twice: Helm would silently take the second.
pub fn read(text: &str) -> Result<Values, ValuesError> {
    read_with(text, Repeated::Refused)
}

/// Reads a chart's own defaults, where like Helm it takes the last of two equal keys.
///
/// # Errors
///
/// [`ValuesError`].
pub fn read_leniently(text: &str) -> Result<Values, ValuesError> {
    read_with(text, Repeated::LastCounts)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeated {
    Refused,
    LastCounts,
}

fn read_with(text: &str, repeated: Repeated) -> Result<Values, ValuesError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let shapes = shapes(text).map_err(|problem| ValuesError::NotYaml { problem })?;
    let other = shapes.into_iter().find_map(|shape| match shape {
        Shape::Other(found) => Some(found.to_owned()),
        Shape::Nothing | Shape::Mapping => None,
    });
    if let Some(found) = other {
        return Err(ValuesError::NotMapping { found });
    }
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        repeated,
    };
    match reader.first_document()? {
        Value::Object(values) => Ok(values),
        // Whatever is not a mapping was found above, but for a document of comments.
        _ => Ok(Values::new()),
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// What aliases stand for.
    anchors: HashMap<usize, Value>,
    repeated: Repeated,
}

impl<'a> Reader<'a> {
    fn first_document(&mut self) -> Result<Value, ValuesError> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
                (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(Value::Null),
                (event, span) => return self.node(event, span),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), ValuesError> {
        match self.parser.next_event() {
            Some(event) => event.map_err(|error| broken(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The node that begins with `event`. It recurses no deeper than the text was found to be.
    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Value, ValuesError> {
        let (anchor, value) = match event {
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned();
                return value.ok_or_else(|| at(span, "an alias stands for what contains it"));
            }
            Event::Scalar(text, style, anchor, tag) => (anchor, scalar(&text, style, tag.as_deref(), span)?),
            Event::SequenceStart(anchor, _) => (anchor, self.sequence()?),
            Event::MappingStart(anchor, _) => (anchor, Value::Object(self.mapping()?)),
            _ => return Err(at(span, "something is missing")),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn sequence(&mut self) -> Result<Value, ValuesError> {
        let mut items = vec![];
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<Values, ValuesError> {
        let (mut values, mut merged) = (Values::new(), Values::new());
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                // What is written here counts more than what is merged into it.
                merged.extend(values);
                return Ok(merged);
            }
            let is_merge = is_merge(&event);
            let key = self.node(event, span)?;
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span)?;
            if is_merge {
                merge(&mut merged, value, value_span)?;
                continue;
            }
            let key = key_text(key, span)?;
            if values.contains_key(&key) && self.repeated == Repeated::Refused {
                let line = span.start.line();
                return Err(ValuesError::KeyTwice { key, line });
            }
            values.insert(key, value);
        }
    }
}

/// `<<` without quotes.
fn is_merge(event: &Event<'_>) -> bool {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, _, None) => text == "<<",
        _ => false,
    }
}

/// Of several mappings the first one counts most.
fn merge(into: &mut Values, from: Value, span: Span) -> Result<(), ValuesError> {
    let sources = match from {
        Value::Object(source) => vec![source],
        Value::Array(items) => {
            let sources = items.into_iter().map(|item| match item {
                Value::Object(source) => Ok(source),
                _ => Err(at(span, "only mappings can be merged")),
            });
            sources.collect::<Result<_, _>>()?
        }
        _ => return Err(at(span, "only mappings can be merged")),
    };
    for source in sources {
        for (key, value) in source {
            into.entry(key).or_insert(value);
        }
    }
    Ok(())
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<Value, ValuesError> {
    let text_itself = || Value::String(text.to_owned());
    match tag {
        None if style == ScalarStyle::Plain => plain(text, span),
        None => Ok(text_itself()),
        Some(tag) if !tag.is_yaml_core_schema() => Ok(text_itself()),
        Some(tag) => match tag.suffix.as_str() {
            "bool" | "int" | "float" | "null" => plain(text, span),
            "binary" => binary(text, span),
            _ => Ok(text_itself()),
        },
    }
}

fn plain(text: &str, span: Span) -> Result<Value, ValuesError> {
    scalar::resolved(text).ok_or_else(|| at(span, &format!("{text} is not a number that JSON has")))
}

fn binary(text: &str, span: Span) -> Result<Value, ValuesError> {
    let compact: String = text.split_whitespace().collect();
    let bytes = STANDARD.decode(compact).ok();
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    text.map(Value::String)
        .ok_or_else(|| at(span, "what is tagged as binary is not base64"))
}

/// Keys are text: `1: a` has the key `1`, and `no: a` the key `false`.
fn key_text(key: Value, span: Span) -> Result<String, ValuesError> {
    match key {
        Value::String(key) => Ok(key),
        Value::Bool(key) => Ok(key.to_string()),
        Value::Number(key) => Ok(key.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(at(span, "a key must be a text, a number or a boolean"))
        }
    }
}

fn broken(error: &ScanError) -> ValuesError {
    let (line, column) = (error.marker().line(), error.marker().col() + 1);
    let problem = format!("{} at line {line} column {column}", error.info());
    ValuesError::NotYaml { problem }
}

fn at(span: Span, what: &str) -> ValuesError {
    let problem = Cow::from(what);
    ValuesError::NotYaml {
        problem: format!("{problem} (line {})", span.start.line()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(text: &str) -> Value {
        Value::Object(read(text).unwrap())
    }

    #[test]
    fn what_has_quotes_is_text_and_what_has_none_is_what_helm_takes_it_for() {
        let text = "a: no\nb: 'no'\nc: \"010\"\nd: 010\ne: |\n  no\nf: !!str 5\ng: !!int \"5\"\nh:\n";
        let expected = json!({
            "a": false, "b": "no", "c": "010", "d": 8, "e": "no\n", "f": "5", "g": 5, "h": null,
        });
        assert_eq!(values(text), expected);
    }

    #[test]
    fn keys_are_text_whatever_they_look_like() {
        assert_eq!(
            values("n: 1\n1: 2\n\"yes\": 3\n"),
            json!({ "false": 1, "1": 2, "yes": 3 })
        );
        assert!(matches!(read("? [a]\n: b\n"), Err(ValuesError::NotYaml { .. })));
    }

    #[test]
    fn aliases_and_merges_are_followed() {
        let text = "base: &base {a: 1, b: 2}\nown:\n  <<: *base\n  b: 3\nlist: [*base]\n";
        let expected = json!({ "base": { "a": 1, "b": 2 }, "own": { "a": 1, "b": 3 }, "list": [{ "a": 1, "b": 2 }] });
        assert_eq!(values(text), expected);
        assert!(matches!(read("a: &a [*a]\n"), Err(ValuesError::NotYaml { .. })));
        assert!(matches!(read("a: {<<: 1}\n"), Err(ValuesError::NotYaml { .. })));
    }

    #[test]
    fn nothing_is_no_values() {
        for text in ["", "\n", "# only a comment\n", "---\n", "{}", "\u{feff}"] {
            assert_eq!(values(text), json!({}), "{text:?}");
        }
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused_unless_it_is_a_charts() {
        let text = "a: 1\nb:\n  c: 1\n  c: 2\n";
        let expected = ValuesError::KeyTwice {
            key: "c".to_owned(),
            line: 4,
        };
        assert_eq!(read(text), Err(expected));
        assert_eq!(
            Value::Object(read_leniently(text).unwrap()),
            json!({ "a": 1, "b": { "c": 2 } })
        );
        // As text they are one key: Helm would take the second.
        assert!(matches!(read("no: 1\nfalse: 2\n"), Err(ValuesError::KeyTwice { .. })));
    }

    #[test]
    fn what_is_no_mapping_is_said_to_be_something_else() {
        for text in ["- a\n", "just text", "5"] {
            assert!(matches!(read(text), Err(ValuesError::NotMapping { .. })), "{text:?}");
        }
        for text in ["a: [", "a: b: c", "\ta: 1", "a: .inf"] {
            assert!(matches!(read(text), Err(ValuesError::NotYaml { .. })), "{text:?}");
        }
    }

    #[test]
    fn nothing_that_can_be_written_makes_it_panic() {
        use proptest::prelude::*;
        proptest!(|(text in "[-a-z0-9:&*<>{}\\[\\]|'\"#!?~,. \n\t]{0,80}")| {
            let _ = read(&text);
        });
    }
}
