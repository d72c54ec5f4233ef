//! Attempts to get in that failed, for auditors: why, for which account if it is known, and how many.
//!
//! Every record has a stream of its own. How many are recorded is bounded by whoever counts them: many attempts become
//! one fact with their number.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Stamp},
    ids::AccountId,
};

/// Why somebody was not let in. The caller is told less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// No account is called so.
    UnknownName,
    WrongPassword,
    /// The account has none, so it is never the right one.
    NoPassword,
    Blocked,
    /// The limit of attempts was reached before anything was looked at.
    TooOften,
    /// A token that was never issued, was altered, or was revoked.
    UnknownToken,
    ExpiredToken,
    /// The cookie of a session that was never opened, was altered, or was closed.
    UnknownSession,
    ExpiredSession,
    /// A page of somebody else made a browser send it.
    ForeignOrigin,
    /// The answer of an `OpenID` provider does not belong to a sign-in that this browser began, or began in time.
    OidcState,
    /// The provider said no, or could not be asked.
    OidcProvider,
    OidcNonce,
    OidcIssuer,
    OidcAudience,
    OidcAlgorithm,
    OidcSignature,
    OidcExpired,
    /// The provider's answer is none.
    OidcMalformed,
    /// The provider vouches for somebody who has no account here.
    NoAccount,
}

/// The facts of failed attempts. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    SignInRefused {
        /// Whose account it was about, if that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<AccountId>,
        reason: Reason,
        /// How many attempts, in decimal digits.
        count: String,
    },
}

/// Attempts that were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal;

#[derive(Debug, Clone, Copy)]
pub enum Command {
    Record {
        account: Option<AccountId>,
        reason: Reason,
        count: u64,
    },
}

impl Decider for Refusal {
    const CATEGORY: &'static str = "refusal";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Infallible;

    fn decide(state: &Self::State, command: Command, _: Stamp) -> Result<Vec<Event>, Infallible> {
        let Command::Record { account, reason, count } = command;
        if state.is_some() || count == 0 {
            return Ok(vec![]);
        }
        let count = count.to_string();
        Ok(vec![Event::SignInRefused { account, reason, count }])
    }

    fn evolve(_: Self::State, event: &Event, _: Stamp) -> Self::State {
        let Event::SignInRefused { .. } = event;
        Some(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{given, somebody};

    #[test]
    fn attempts_are_recorded_once_with_their_number_and_none_is_no_fact() {
        let record = |count| Command::Record {
            account: Some(somebody()),
            reason: Reason::WrongPassword,
            count,
        };
        let recorded = Event::SignInRefused {
            account: Some(somebody()),
            reason: Reason::WrongPassword,
            count: "3".to_owned(),
        };
        given::<Refusal>([]).when(record(3)).then([recorded.clone()]);
        given::<Refusal>([recorded]).when(record(3)).then([]);
        given::<Refusal>([]).when(record(0)).then([]);
    }
}
