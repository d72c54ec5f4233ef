//! Why a command was not done.

use domain::{access::Denied, decider::Reject, listing::InvalidListing};
use eventstore::{ReadError, VaultError};
use projections::ViewError;

use crate::{content::ContentError, uploads::InvalidUpload, values::Violation};

/// Why a command has no outcome. `docs/errors.md` lists the codes.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A rule of the domain refused it.
    #[error("{0}")]
    Rejected(Box<dyn Reject>),
    #[error("{0}")]
    Denied(Denied),
    /// It does not exist, or must look as if it did not.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// An input breaks a rule that needs no state to see.
    #[error("{message}")]
    Invalid {
        code: &'static str,
        message: String,
        path: Vec<&'static str>,
    },
    /// All that the chart's schema has against the values.
    #[error("the chart's schema refuses the values, for {} reasons", .0.len())]
    ValuesRefused(Vec<Violation>),
    #[error("this command id was used before for another request")]
    CommandReused,
    #[error("an event of this command would take {bytes} bytes, and {limit} are allowed")]
    TooLarge { bytes: usize, limit: usize },
    #[error("the account is not known any more")]
    Unauthenticated,
    #[error("others keep changing the same thing; look again and try again")]
    Contention,
    #[error("the views are too far behind the log; try the same command id again")]
    ViewsBehind,
    /// Nothing was recorded; trying again later may well succeed.
    #[error("the log is out of reach; try again")]
    Unavailable,
    #[error("it is not known whether this was recorded; send it again with the same command id to find out")]
    OutcomeUnknown,
    #[error(
        "the server's clock jumped by {ahead_seconds} s, and nothing is recorded until an administrator accepts it"
    )]
    ClockJumped { ahead_seconds: i64 },
    /// Somebody else was first: decide again. Never leaves the command path.
    #[error("a condition of the command no longer held")]
    Outrun,
    /// The same command landed meanwhile. Never leaves the command path.
    #[error("the same command was recorded meanwhile")]
    Repeated,
    #[error("the server failed")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl CommandError {
    pub fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(error))
    }

    pub fn rejected(rejection: impl Reject) -> Self {
        Self::Rejected(Box::new(rejection))
    }

    /// Stable over versions; clients branch on it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.code(),
            Self::Denied(_) => "FORBIDDEN",
            Self::NotFound(_) => "NOT_FOUND",
            Self::Invalid { code, .. } => code,
            Self::ValuesRefused(_) => "VALUES_REFUSED",
            Self::CommandReused => "COMMAND_REUSED",
            Self::TooLarge { .. } => "EVENT_TOO_LARGE",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Contention | Self::Outrun | Self::Repeated => "CONTENTION",
            Self::ViewsBehind => "VIEWS_BEHIND",
            Self::Unavailable => "LOG_UNAVAILABLE",
            Self::OutcomeUnknown => "OUTCOME_UNKNOWN",
            Self::ClockJumped { .. } => "CLOCK_JUMPED",
            Self::Internal(_) => "INTERNAL",
        }
    }

    /// The input it is about, if it is about one.
    #[must_use]
    pub fn path(&self) -> &[&'static str] {
        match self {
            Self::Invalid { path, .. } => path,
            Self::ValuesRefused(_) => &["input", "values"],
            _ => &[],
        }
    }

    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code() == code
    }

    /// Whether this is the caller's to handle; the rest is the server's trouble.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        !matches!(
            self,
            Self::Internal(_)
                | Self::Unauthenticated
                | Self::ViewsBehind
                | Self::Unavailable
                | Self::OutcomeUnknown
                | Self::ClockJumped { .. }
        )
    }
}

impl From<Denied> for CommandError {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<InvalidUpload> for CommandError {
    fn from(invalid: InvalidUpload) -> Self {
        Self::Invalid {
            code: invalid.code(),
            message: invalid.to_string(),
            path: vec!["input", "upload"],
        }
    }
}

impl From<InvalidListing> for CommandError {
    fn from(invalid: InvalidListing) -> Self {
        Self::Invalid {
            code: invalid.code(),
            message: invalid.to_string(),
            path: vec!["input"],
        }
    }
}

impl From<ReadError> for CommandError {
    fn from(error: ReadError) -> Self {
        Self::internal(error)
    }
}

impl From<ViewError> for CommandError {
    fn from(error: ViewError) -> Self {
        Self::internal(error)
    }
}

impl From<ContentError> for CommandError {
    fn from(error: ContentError) -> Self {
        match error {
            ContentError::Removed(removed) => Self::rejected(removed),
            error => Self::internal(error),
        }
    }
}

impl From<VaultError> for CommandError {
    fn from(error: VaultError) -> Self {
        match error {
            // Whoever gave the command was erased a moment ago.
            VaultError::Erased(_) => Self::Unauthenticated,
            error => Self::internal(error),
        }
    }
}
