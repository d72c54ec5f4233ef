//! Events that are applied together.

use std::collections::HashSet;

use domain::event::DomainEvent;
use eventstore::Recorded;

use crate::{
    content::{self, Document, Wanted},
    error::ViewError,
    fact::Fact,
};

/// Events that follow each other, and the documents that they name.
pub(crate) struct Batch {
    pub(crate) facts: Vec<Fact>,
    pub(crate) leaf_hash: Option<[u8; 32]>,
    pub(crate) documents: Vec<Document>,
    /// Why the batch ends before all the events that were read.
    pub(crate) stopped: Option<ViewError>,
}

impl Batch {
    /// The events, as far as this program knows them; without documents.
    pub(crate) fn decode(events: &[Recorded]) -> Self {
        let mut facts = Vec::with_capacity(events.len());
        let mut stopped = None;
        for event in events {
            match Fact::decode(event) {
                Ok(fact) => facts.push(fact),
                Err(error) => {
                    stopped = Some(error);
                    break;
                }
            }
        }
        let last = facts.len().checked_sub(1).and_then(|last| events.get(last));
        Self {
            leaf_hash: last.map(Recorded::leaf_hash),
            facts,
            documents: vec![],
            stopped,
        }
    }

    /// How many events the views have applied after it; `None` if there is none in it.
    pub(crate) fn end(&self) -> Option<u64> {
        self.facts.last().map(|last| last.position + 1)
    }

    pub(crate) fn named(&self) -> HashSet<Wanted> {
        let named = |fact: &Fact| match &fact.event {
            DomainEvent::App(event) => content::named_by(event),
            _ => None,
        };
        self.facts.iter().filter_map(named).collect()
    }
}
