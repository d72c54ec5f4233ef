//! Decisions about the store: what it shows, what is taken out of it, and what is deleted.

use super::{Decision, require, require_submitted};
use crate::{
    app::{Action, App, Authority, Event, Rejection, Stage, Status, Submission},
    digest::Sealed,
    version_number::VersionNumber,
};

impl App {
    pub(super) fn publish_version(&self, version: VersionNumber) -> Decision {
        let known = self.known(&version)?;
        if matches!(known.stage, Stage::Published { .. }) {
            return Ok(vec![]);
        }
        let Submission {
            id,
            package,
            listing,
            ordinal,
            ..
        } = require_submitted(&version, known, Action::Publish)?;
        if self.suspended.is_some() {
            return Err(Rejection::AppSuspended);
        }
        // A listing that passed a later review than this version's stays.
        let listing = match self.listing.published {
            Some(newer) if self.listing.published_by > ordinal => newer,
            Some(_) | None => listing,
        };
        let published = Event::PublishedToStore {
            version,
            submission: id,
            digest: package,
            listing,
        };
        // A listing that was submitted alone before this version is out of date: approving it would turn the store back.
        let overtaken = self
            .listing
            .review
            .iter()
            .filter(|open| open.submission.ordinal < ordinal);
        let withdrawn = overtaken.map(|open| Event::ListingWithdrawn {
            submission: open.submission.id,
        });
        Ok(std::iter::once(published).chain(withdrawn).collect())
    }

    pub(super) fn suspend_version(
        &self,
        version: VersionNumber,
        authority: Authority,
        reason: Option<Sealed>,
    ) -> Decision {
        let known = self.known(&version)?;
        match known.stage {
            // The store may take over what the owner suspended; nothing else changes a suspension.
            Stage::Suspended { authority: by, .. } if by >= authority => return Ok(vec![]),
            Stage::Suspended { .. } => {}
            _ => require(&version, known, Action::Suspend)?,
        }
        Ok(vec![Event::Suspended {
            version: Some(version),
            authority,
            reason,
        }])
    }

    pub(super) fn resume_version(&self, version: VersionNumber, authority: Authority) -> Decision {
        let known = self.known(&version)?;
        if matches!(known.stage, Stage::Published { .. }) {
            return Ok(vec![]);
        }
        require(&version, known, Action::Resume)?;
        if let Stage::Suspended { authority: by, .. } = known.stage
            && by > authority
        {
            return Err(Rejection::SuspendedByStore);
        }
        Ok(vec![Event::Resumed { version: Some(version) }])
    }

    pub(super) fn suspend(&self, authority: Authority, reason: Option<Sealed>) -> Decision {
        match self.suspended {
            Some(by) if by >= authority => return Ok(vec![]),
            Some(_) => {}
            None if self.status() == Status::InDevelopment => return Err(Rejection::AppNotPublished),
            None => {}
        }
        Ok(vec![Event::Suspended {
            version: None,
            authority,
            reason,
        }])
    }

    pub(super) fn resume(&self, authority: Authority) -> Decision {
        match self.suspended {
            None => Ok(vec![]),
            Some(by) if by > authority => Err(Rejection::SuspendedByStore),
            Some(_) => Ok(vec![Event::Resumed { version: None }]),
        }
    }

    pub(super) fn delete_version(&self, version: VersionNumber) -> Decision {
        match self.versions.get(&version) {
            Some(known) if matches!(known.stage, Stage::Deleted {}) => Ok(vec![]),
            Some(known) => {
                require(&version, known, Action::Delete)?;
                Ok(vec![Event::VersionDeleted { version }])
            }
            None => Err(Rejection::VersionNotFound(version)),
        }
    }

    pub(super) fn delete(&self) -> Decision {
        if self.deleted {
            return Ok(vec![]);
        }
        let remain: Vec<_> = self
            .versions
            .iter()
            .filter(|(_, v)| !matches!(v.stage, Stage::Deleted {}))
            .map(|(n, _)| n.clone())
            .collect();
        if !remain.is_empty() {
            return Err(Rejection::VersionsRemain(remain));
        }
        Ok(vec![Event::AppDeleted {}])
    }
}
