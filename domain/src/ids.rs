//! One type per identifier. The caller draws the UUID: nothing here is random.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    };
}

id!(/// A person or a machine that signs in.
    AccountId);
id!(/// A bearer token of an account; never the secret itself.
    TokenId);
id!(/// A stay of somebody who signed in; never the secret itself.
    SessionId);
id!(/// A tenant: it owns apps and projects.
    WorkspaceId);
id!(/// A namespace of a cluster that releases go into.
    ProjectId);
id!(/// Where releases run.
    ClusterId);
id!(/// An app template of a workspace.
    AppId);
id!(/// A shelf of the store.
    CategoryId);
id!(/// One installed app.
    ReleaseId);
id!(/// One request for review; every new one starts without approvals.
    SubmissionId);
id!(/// One run of Helm for one operation of a release.
    AttemptId);
id!(/// A worker, the same one after it was started again.
    WorkerId);
id!(/// A review decision: the id of its event.
    DecisionId);
id!(/// One export of review decisions.
    ExportId);
id!(/// One record of failed attempts to sign in.
    RefusalId);

/// Who acts: an account, or Charthouse itself (its worker, its first start).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    Account(AccountId),
    System,
}

impl Actor {
    #[must_use]
    pub const fn account(self) -> Option<AccountId> {
        match self {
            Self::Account(id) => Some(id),
            Self::System => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "account-{id}"),
            Self::System => f.write_str("system"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an actor is `system` or `account-<uuid>`, not {0:?}")]
pub struct InvalidActor(String);

impl FromStr for Actor {
    type Err = InvalidActor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "system" {
            return Ok(Self::System);
        }
        let id = text.strip_prefix("account-").and_then(|id| id.parse().ok());
        id.map(Self::Account).ok_or_else(|| InvalidActor(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_reads_back_what_it_writes() {
        for actor in [Actor::System, Actor::Account(AccountId::from_uuid(Uuid::from_u128(7)))] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
    }

    #[test]
    fn an_actor_of_another_kind_is_refused() {
        for text in [
            "",
            "somebody",
            "account-",
            "account-7",
            "app-0198f3a0-0003-7000-8000-000000000003",
        ] {
            assert_eq!(text.parse::<Actor>(), Err(InvalidActor(text.to_owned())));
        }
    }
}
