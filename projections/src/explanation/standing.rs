//! How a version stands in the store.

use std::fmt;

use domain::{
    app::{Authority, Stage as DomainStage},
    version_number::VersionNumber,
};

use crate::{apps::Stage, dossier::Dossier};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) stage: Stage,
    pub(super) reasons: Vec<Reason>,
}

/// What shows a version in the store, or keeps it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It is published, and the highest.
    OfferedFirst,
    /// It is published; a higher one is offered before it.
    BelowHigher(VersionNumber),
    /// It never came so far, or is back from there.
    NotPublished(Stage),
    VersionSuspended(Authority),
    /// The app as a whole.
    AppSuspended(Authority),
    VersionDeleted,
    AppDeleted,
    /// Its archive was removed from this installation: what is published of it cannot be installed.
    ContentRemoved,
}

impl Reason {
    /// A stable name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OfferedFirst => "OFFERED_FIRST",
            Self::BelowHigher(_) => "BELOW_HIGHER",
            Self::NotPublished(_) => "NOT_PUBLISHED",
            Self::VersionSuspended(_) => "VERSION_SUSPENDED",
            Self::AppSuspended(_) => "APP_SUSPENDED",
            Self::VersionDeleted => "VERSION_DELETED",
            Self::AppDeleted => "APP_DELETED",
            Self::ContentRemoved => "CONTENT_REMOVED",
        }
    }

    /// Whether it speaks for the version being in the store.
    #[must_use]
    pub const fn shows(&self) -> bool {
        match self {
            Self::OfferedFirst | Self::BelowHigher(_) => true,
            Self::NotPublished(_)
            | Self::VersionSuspended(_)
            | Self::AppSuspended(_)
            | Self::VersionDeleted
            | Self::AppDeleted
            | Self::ContentRemoved => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfferedFirst => f.write_str("it is published, and the store offers it first"),
            Self::BelowHigher(higher) => write!(f, "it is published, and the store offers {higher} before it"),
            Self::NotPublished(stage) => write!(f, "it is {}, not published", stage.as_str()),
            Self::VersionSuspended(by) => write!(f, "it is suspended by {}", whom(*by)),
            Self::AppSuspended(by) => write!(f, "its app is suspended as a whole by {}", whom(*by)),
            Self::VersionDeleted => f.write_str("it is deleted"),
            Self::AppDeleted => f.write_str("its app is deleted"),
            Self::ContentRemoved => f.write_str("its archive was removed, so it cannot be installed"),
        }
    }
}

pub(super) const fn whom(authority: Authority) -> &'static str {
    match authority {
        Authority::Owner => "its owner",
        Authority::Store => "the store",
    }
}

impl Standing {
    /// `None` if there is no such version.
    pub(super) fn of(dossier: &Dossier, number: &VersionNumber) -> Option<Self> {
        let (version, _) = dossier.version(number)?;
        let app = &dossier.app;
        let mut reasons = vec![];
        match &version.stage {
            DomainStage::Published { .. } => {}
            DomainStage::Suspended { authority, .. } => reasons.push(Reason::VersionSuspended(*authority)),
            DomainStage::Deleted {} => reasons.push(Reason::VersionDeleted),
            stage @ (DomainStage::Draft {}
            | DomainStage::Submitted { .. }
            | DomainStage::InReview { .. }
            | DomainStage::Approved { .. }
            | DomainStage::Rejected { .. }) => reasons.push(Reason::NotPublished(stage.into())),
        }
        reasons.extend(app.suspended.map(Reason::AppSuspended));
        if app.deleted {
            reasons.push(Reason::AppDeleted);
        }
        if reasons.is_empty() {
            reasons.push(match app.latest_published() {
                Some(first) if first != number => Reason::BelowHigher(first.clone()),
                Some(_) | None => Reason::OfferedFirst,
            });
        }
        Some(Self {
            stage: Stage::from(&version.stage),
            reasons,
        })
    }

    pub(super) fn is_in_store(&self) -> bool {
        self.reasons.iter().all(Reason::shows)
    }
}
