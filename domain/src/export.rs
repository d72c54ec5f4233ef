//! Exports of review decisions: that they left the product, which ones, in which form, for whom.

use std::convert::Infallible;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    ids::{AppId, DecisionId, WorkspaceId},
};

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Csv,
    Jsonl,
    /// A batch of `CloudEvents`.
    Cloudevents,
    /// A bundle with signed statements and proofs.
    Zip,
}

/// Which decisions are exported; what is `None` does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Selection {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// The first moment that does not belong to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// The facts of an export. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// Recorded before the first byte is handed out, so an export that broke off is here too.
    DecisionsExported {
        format: Format,
        selection: Selection,
        /// The export is as of this size of the log, in decimal digits.
        size: String,
        /// How many decisions it holds, in decimal digits.
        count: String,
    },
}

/// An export that was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export;

#[derive(Debug, Clone)]
pub enum Command {
    Record {
        format: Format,
        selection: Selection,
        /// How many events of the log it looks at.
        size: u64,
        /// How many decisions it holds.
        count: u64,
    },
}

/// Whether somebody may export is asked before; that it happened is not refused.
impl Reject for Infallible {
    fn code(&self) -> &'static str {
        match *self {}
    }

    fn kind(&self) -> RejectionKind {
        match *self {}
    }
}

impl Decider for Export {
    const CATEGORY: &'static str = "export";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Infallible;

    fn decide(state: &Self::State, command: Command, _: Stamp) -> Result<Vec<Event>, Infallible> {
        let Command::Record {
            format,
            selection,
            size,
            count,
        } = command;
        if state.is_some() {
            return Ok(vec![]);
        }
        Ok(vec![Event::DecisionsExported {
            format,
            selection,
            size: size.to_string(),
            count: count.to_string(),
        }])
    }

    fn evolve(_: Self::State, event: &Event, _: Stamp) -> Self::State {
        match event {
            Event::DecisionsExported { .. } => Some(Self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::given;

    fn record() -> Command {
        Command::Record {
            format: Format::Csv,
            selection: Selection::default(),
            size: 7,
            count: 2,
        }
    }

    fn exported() -> Event {
        Event::DecisionsExported {
            format: Format::Csv,
            selection: Selection::default(),
            size: "7".to_owned(),
            count: "2".to_owned(),
        }
    }

    #[test]
    fn an_export_is_recorded_once() {
        given::<Export>([]).when(record()).then([exported()]);
        given::<Export>([exported()]).when(record()).then([]);
    }
}
