//! What a submission has to pass, as it was set last.

use domain::review_policy::{Event, ReviewPolicy};
use rusqlite::{Connection, Transaction};

use crate::{
    error::ViewError,
    fact::Fact,
    moment::Mark,
    sql::{self, Columns, Json, values},
};

pub(super) const SCHEMA: &str = "
CREATE TABLE review_policy (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    policy TEXT NOT NULL,
    mark   TEXT NOT NULL
) WITHOUT ROWID;
";

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyInForce {
    pub policy: ReviewPolicy,
    /// When and by whom it was set; `None` of the default.
    pub set: Option<Mark>,
}

/// The policy that whatever is submitted now has to pass.
pub fn policy_in_force(conn: &Connection) -> Result<PolicyInForce, ViewError> {
    let read = |columns: &mut Columns<'_, '_>| {
        Ok(PolicyInForce {
            policy: columns.json()?,
            set: Some(columns.json()?),
        })
    };
    let found = sql::first(conn, "SELECT policy, mark FROM review_policy", vec![], read)?;
    Ok(found.unwrap_or_else(|| PolicyInForce {
        policy: ReviewPolicy::default(),
        set: None,
    }))
}

pub(crate) fn apply_policy(
    tx: &Transaction<'_>,
    fact: &Fact,
    Event::ReviewPolicySet { policy }: &Event,
) -> Result<(), ViewError> {
    let values = values![Json(policy), Json(&fact.mark())];
    sql::execute(tx, "INSERT OR REPLACE INTO review_policy VALUES (1, ?, ?)", values)?;
    Ok(())
}
