//! What is recorded of an account.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Scope;
use crate::{
    digest::{Digest, Sealed},
    ids::{SessionId, TokenId},
    names::RoleName,
    permission::Permission,
};

/// The facts of an account's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    AccountCreated {
        name: Sealed,
    },
    RoleGranted {
        role: RoleName,
        scope: Scope,
    },
    RoleRevoked {
        role: RoleName,
        scope: Scope,
    },
    /// The log knows a token by the SHA-256 of its secret, which is 256 random bits.
    TokenIssued {
        token: TokenId,
        secret: Digest,
        /// What its owner calls it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Sealed>,
        /// All that it allows, as far as the account's roles do; absent for one that allows what they do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        permissions: Option<BTreeSet<Permission>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<DateTime<Utc>>,
    },
    TokenRevoked {
        token: TokenId,
    },
    /// The vault has the password's hash. Whoever sets it ends every session of the account that was opened before,
    /// but the one it keeps.
    PasswordSet {
        password: Sealed,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keeps: Option<SessionId>,
    },
    /// An identity that an `OpenID` provider vouches for, by the keyed hash of its issuer and subject.
    IdentityLinked {
        identity: Digest,
    },
    /// Nothing opens the account any more; its sessions are over, its tokens rest.
    AccountBlocked {},
    AccountUnblocked {},
    /// The key that opens whatever is sealed for `subject` is destroyed, and there is never another.
    SubjectErased {
        subject: String,
    },
}
