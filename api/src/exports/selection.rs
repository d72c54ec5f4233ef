//! Which decisions somebody asks for, as it comes with a request.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use domain::{
    export::Selection,
    ids::{AppId, DecisionId, WorkspaceId},
};
use projections::decisions::{Period, ReversedPeriod};
use serde::Deserialize;

use crate::graphql::NodeId;

/// What is asked for, in text. What is absent does not matter.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    pub app: Option<String>,
    pub workspace: Option<String>,
    pub decision: Option<String>,
    pub from: Option<String>,
    pub until: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum InvalidParameter {
    #[error("{name} is {expected}, and not {found:?}")]
    Malformed {
        name: &'static str,
        expected: &'static str,
        found: String,
    },
    #[error(transparent)]
    Period(#[from] ReversedPeriod),
}

impl InvalidParameter {
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "BAD_PARAMETERS",
            Self::Period(_) => "PERIOD_REVERSED",
        }
    }
}

impl TryFrom<Parameters> for Selection {
    type Error = InvalidParameter;

    fn try_from(asked: Parameters) -> Result<Self, InvalidParameter> {
        let selection = Self {
            app: asked.app.map(|id| app(&id)).transpose()?,
            workspace: asked.workspace.map(|id| workspace(&id)).transpose()?,
            decision: asked.decision.map(|id| decision(&id)).transpose()?,
            from: asked.from.map(|time| moment("from", &time)).transpose()?,
            until: asked.until.map(|time| moment("until", &time)).transpose()?,
        };
        Period::new(selection.from, selection.until)?;
        Ok(selection)
    }
}

/// An id as the API gives it, or as an export shows it.
fn app(id: &str) -> Result<AppId, InvalidParameter> {
    match NodeId::parse(id) {
        Some(NodeId::App(app)) => Ok(app),
        _ => id.parse().map_err(|_| malformed("app", "the id of an app", id)),
    }
}

fn workspace(id: &str) -> Result<WorkspaceId, InvalidParameter> {
    match NodeId::parse(id) {
        Some(NodeId::Workspace(workspace)) => Ok(workspace),
        _ => id
            .parse()
            .map_err(|_| malformed("workspace", "the id of a workspace", id)),
    }
}

fn decision(id: &str) -> Result<DecisionId, InvalidParameter> {
    id.parse()
        .map_err(|_| malformed("decision", "the id of a decision", id))
}

/// A time such as `2026-03-01T12:00:00Z`, or a date, which is its beginning in UTC.
fn moment(name: &'static str, text: &str) -> Result<DateTime<Utc>, InvalidParameter> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let date: Result<NaiveDate, _> = text.parse();
    date.map(|date| date.and_time(NaiveTime::MIN).and_utc())
        .map_err(|_| malformed(name, "a date, or a time such as 2026-03-01T12:00:00Z", text))
}

fn malformed(name: &'static str, expected: &'static str, found: &str) -> InvalidParameter {
    InvalidParameter::Malformed {
        name,
        expected,
        found: found.chars().take(100).collect(),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_period_is_two_times_or_dates_and_does_not_end_before_it_begins() {
        let asked = |from: &str, until: &str| {
            Selection::try_from(Parameters {
                from: Some(from.to_owned()),
                until: Some(until.to_owned()),
                ..Parameters::default()
            })
        };
        let half_a_day = asked("2026-03-01", "2026-03-01T14:00:00+02:00").unwrap();
        assert_eq!(
            half_a_day.until.unwrap() - half_a_day.from.unwrap(),
            chrono::TimeDelta::hours(12)
        );
        assert!(asked("2026-03-01", "2026-03-01").is_ok());
        let codes = [
            ("2026-03-02", "2026-03-01"),
            ("yesterday", "2026-03-01"),
            ("2026-02-30", "2026-03-01"),
        ]
        .map(|(from, until)| asked(from, until).unwrap_err().code());
        assert_eq!(codes, ["PERIOD_REVERSED", "BAD_PARAMETERS", "BAD_PARAMETERS"]);
    }

    #[test]
    fn an_id_is_one_of_the_api_or_one_of_an_export() {
        let id = AppId::from_uuid(Uuid::from_u128(7));
        for text in [NodeId::App(id).to_string(), id.to_string()] {
            assert_eq!(app(&text).unwrap(), id);
        }
        let other = NodeId::Workspace(WorkspaceId::from_uuid(Uuid::from_u128(7))).to_string();
        assert_eq!(app(&other).unwrap_err().code(), "BAD_PARAMETERS");
    }
}
