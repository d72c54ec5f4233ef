use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::names::{Golden, STORED_NAMES, golden_files, name_of, store};
use crate::event::{DomainEvent, SCHEMA, UndecodableEvent};

fn restored(golden: &Golden) -> DomainEvent {
    DomainEvent::restore(&golden.category, &golden.event, golden.data.to_string().as_bytes()).unwrap()
}

#[test]
fn every_event_has_a_golden_file_and_every_golden_file_an_event() {
    let events: BTreeSet<_> = STORED_NAMES.iter().map(|name| (*name).to_owned()).collect();
    let files: BTreeSet<_> = golden_files().into_iter().map(|golden| golden.event).collect();
    assert_eq!(files, events);
    assert_eq!(events.len(), STORED_NAMES.len(), "two events have the same name");
}

#[test]
fn a_golden_file_decodes_as_the_event_it_is_named_after() {
    for golden in golden_files() {
        assert_eq!(name_of(&restored(&golden)), golden.event);
        assert_eq!(golden.schema, SCHEMA);
    }
}

#[test]
fn a_golden_file_encodes_as_it_was() {
    for golden in golden_files() {
        let stored = store(&restored(&golden)).unwrap();
        assert_eq!((stored.name, stored.data), (golden.event, golden.data));
    }
}

#[test]
fn facts_that_a_newer_program_added_are_ignored_at_any_depth() {
    for golden in golden_files() {
        let newer = Golden {
            data: with_more_facts(golden.data.clone()),
            ..golden.clone()
        };
        assert_ne!(newer.data, golden.data);
        assert_eq!(restored(&newer), restored(&golden));
    }
}

fn with_more_facts(data: Value) -> Value {
    let Value::Object(facts) = data else { return data };
    let more = [("addedLater".to_owned(), json!({ "by": "a newer program" }))];
    let facts = facts.into_iter().map(|(name, fact)| (name, with_more_facts(fact)));
    Value::Object(facts.chain(more).collect())
}

#[test]
fn no_golden_file_holds_a_number() {
    fn holds_a_number(data: &Value) -> bool {
        match data {
            Value::Number(_) => true,
            Value::Array(items) => items.iter().any(holds_a_number),
            Value::Object(facts) => facts.values().any(holds_a_number),
            Value::Null | Value::Bool(_) | Value::String(_) => false,
        }
    }
    for golden in golden_files() {
        assert!(!holds_a_number(&golden.data), "{}", golden.event);
    }
}

#[test]
fn an_event_of_a_newer_program_is_said_to_be_unknown() {
    let unknown_category = DomainEvent::restore("shipment", "Shipped", b"{}");
    assert!(matches!(unknown_category, Err(UndecodableEvent::UnknownCategory(c)) if c == "shipment"));
    let unknown_name = DomainEvent::restore("app", "VersionFramed", b"{}");
    assert!(matches!(unknown_name, Err(UndecodableEvent::Malformed { name, .. }) if name == "VersionFramed"));
}

#[test]
fn an_event_without_one_of_its_facts_does_not_decode() {
    for data in [
        b"{}".as_slice(),
        b"",
        b"null",
        br#"{"version":"1.0.0"} {}"#,
        br#"{"version":"1.0.0""#,
    ] {
        let refused = DomainEvent::restore("app", "VersionDeleted", data);
        assert!(matches!(refused, Err(UndecodableEvent::Malformed { name, .. }) if name == "VersionDeleted"));
    }
}
