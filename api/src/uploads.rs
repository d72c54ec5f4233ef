//! Upload ids: what was checked on its way in, for one account and one workspace, for a day.
//!
//! An upload id carries its own content, sealed with the server's key. So it opens nothing for anybody else, survives a
//! restart, and leaves no table behind. Bytes without an event that names them are never readable.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use domain::{
    app::Package,
    digest::Digest,
    ids::{AccountId, WorkspaceId},
    names::ChartName,
    version_number::VersionNumber,
};
use serde::{Deserialize, Serialize};

use crate::keys::ServerKey;

const MAC_BYTES: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub account: AccountId,
    pub workspace: WorkspaceId,
    pub expires: DateTime<Utc>,
    pub content: Uploaded,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Uploaded {
    Chart {
        name: ChartName,
        version: VersionNumber,
        package: Package,
    },
    Icon {
        image: Digest,
    },
    Screenshot {
        image: Digest,
    },
}

/// Why an upload id cannot be used. A foreign one is told nothing more than a forged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUpload {
    #[error("there is no such upload for this account and workspace; ids are valid for a day")]
    Unknown,
    #[error("this upload is not a {expected}")]
    WrongKind { expected: &'static str },
}

impl InvalidUpload {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "UPLOAD_UNKNOWN",
            Self::WrongKind { .. } => "UPLOAD_WRONG_KIND",
        }
    }
}

impl Upload {
    /// The upload id.
    ///
    /// # Errors
    ///
    /// If the upload cannot be written as JSON; it always can.
    pub fn to_id(&self, key: &ServerKey) -> Result<String, serde_json::Error> {
        let mut ticket = serde_json::to_vec(self)?;
        let mac = key.of_upload(&ticket);
        ticket.extend_from_slice(&mac);
        Ok(URL_SAFE_NO_PAD.encode(ticket))
    }

    /// What `id` stands for, if it was given to `account` for `workspace` and is not over.
    ///
    /// # Errors
    ///
    /// [`InvalidUpload::Unknown`] otherwise, whatever the reason.
    pub fn from_id(
        id: &str,
        key: &ServerKey,
        account: AccountId,
        workspace: WorkspaceId,
        now: DateTime<Utc>,
    ) -> Result<Uploaded, InvalidUpload> {
        let bytes = URL_SAFE_NO_PAD.decode(id).map_err(|_| InvalidUpload::Unknown)?;
        let (ticket, mac) = bytes
            .len()
            .checked_sub(MAC_BYTES)
            .map(|at| bytes.split_at(at))
            .ok_or(InvalidUpload::Unknown)?;
        if !key.seals_upload(ticket, mac) {
            return Err(InvalidUpload::Unknown);
        }
        let upload: Self = serde_json::from_slice(ticket).map_err(|_| InvalidUpload::Unknown)?;
        let Self {
            account: owner,
            workspace: meant_for,
            expires,
            content,
        } = upload;
        if owner == account && meant_for == workspace && now < expires {
            Ok(content)
        } else {
            Err(InvalidUpload::Unknown)
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;

    fn upload() -> Upload {
        Upload {
            account: AccountId::from_uuid(Uuid::from_u128(1)),
            workspace: WorkspaceId::from_uuid(Uuid::from_u128(2)),
            expires: DateTime::UNIX_EPOCH + TimeDelta::days(1),
            content: Uploaded::Icon {
                image: Digest::from_bytes([3; 32]),
            },
        }
    }

    fn key() -> ServerKey {
        let folder = tempfile::tempdir().unwrap();
        ServerKey::at(&folder.path().join("server.key")).unwrap()
    }

    #[test]
    fn an_upload_id_gives_back_what_was_uploaded() {
        let (upload, key) = (upload(), key());
        let id = upload.to_id(&key).unwrap();
        let found = Upload::from_id(&id, &key, upload.account, upload.workspace, DateTime::UNIX_EPOCH);
        assert_eq!(found, Ok(upload.content));
    }

    #[test]
    fn an_upload_id_is_of_no_use_to_others_elsewhere_later_or_altered() {
        let (upload, key) = (upload(), key());
        let id = upload.to_id(&key).unwrap();
        let now = DateTime::UNIX_EPOCH;
        let stranger = AccountId::from_uuid(Uuid::from_u128(9));
        let elsewhere = WorkspaceId::from_uuid(Uuid::from_u128(9));
        let unknown = Err(InvalidUpload::Unknown);
        assert_eq!(Upload::from_id(&id, &key, stranger, upload.workspace, now), unknown);
        assert_eq!(Upload::from_id(&id, &key, upload.account, elsewhere, now), unknown);
        assert_eq!(
            Upload::from_id(&id, &key, upload.account, upload.workspace, upload.expires),
            unknown
        );
        assert_eq!(
            Upload::from_id(&format!("A{}", &id[1..]), &key, upload.account, upload.workspace, now),
            unknown
        );
        assert_eq!(
            Upload::from_id("", &key, upload.account, upload.workspace, now),
            unknown
        );
    }
}
