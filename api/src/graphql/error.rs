//! Errors that end a request. What a command refuses is not one of them: it is a user error of the payload.

use async_graphql::{ErrorExtensions as _, Pos, ServerError};
use domain::decider::Reject as _;
use eventstore::transparency::{ProveError, PublishError};

use crate::{
    auth::{InvalidCredentials, attempts::TooOften},
    commands::CommandError,
    freshness::Stale,
};

/// Has a code in `extensions`. It deliberately has no `Display`: the library would turn it into an error without one.
#[derive(Clone)]
pub struct ApiError(async_graphql::Error);

pub type Result<T> = std::result::Result<T, ApiError>;

impl ApiError {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self(async_graphql::Error::new(message).extend_with(|_, extensions| extensions.set("code", code)))
    }

    pub fn unauthenticated() -> Self {
        Self::new(
            "UNAUTHENTICATED",
            "sign in, or send a token: Authorization: Bearer <token>",
        )
    }

    /// What is for those who hold a permission.
    pub fn needs(permission: domain::permission::Permission) -> Self {
        domain::access::Denied { permission }.into()
    }

    /// Says in `retryAfterSeconds` when to try again.
    pub fn too_often(often: TooOften) -> Self {
        let error = Self::new("SIGN_IN_TOO_OFTEN", often.to_string());
        Self(error.0.extend_with(|_, extensions| {
            extensions.set("retryAfterSeconds", often.retry_after_seconds);
        }))
    }

    /// What is the account's own affair, and not for a narrowed token.
    pub fn narrowed(narrowed: domain::access::Narrowed) -> Self {
        Self::new(narrowed.code(), narrowed.to_string())
    }

    /// Logs the cause, once; the caller learns only that there was one.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request failed");
        Self::new("INTERNAL", "the server failed")
    }
}

/// An error of the request as a whole, with its code.
pub fn request_error(code: &'static str, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    error
}

/// What is wrong with a document, and where. The library shows the line as well, which may be all of the document.
pub fn parse_problem(message: &str, at: Option<Pos>) -> String {
    let (_, problem) = message.rsplit_once("= ").unwrap_or_default();
    let problem = if problem.is_empty() { message } else { problem };
    match at {
        Some(Pos { line, column }) => format!("line {line}, column {column}: {}", problem.trim()),
        None => problem.to_owned(),
    }
}

/// Most errors told of a request that was not executed: a short document can have thousands.
const REQUEST_ERRORS_MAX: usize = 20;

/// Every error has a code; what the library refuses by itself failed validation. Of a request that was not executed, only
/// the first errors are told.
pub fn finish_errors(errors: &mut Vec<ServerError>) {
    if errors.iter().all(|error| error.path.is_empty()) {
        errors.truncate(REQUEST_ERRORS_MAX);
    }
    for error in errors {
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", "GRAPHQL_VALIDATION_FAILED");
        }
    }
}

impl From<InvalidCredentials> for ApiError {
    fn from(invalid: InvalidCredentials) -> Self {
        Self::new("UNAUTHENTICATED", invalid.to_string())
    }
}

impl From<Stale> for ApiError {
    fn from(stale: Stale) -> Self {
        Self::new("LOG_UNAVAILABLE", stale.to_string())
    }
}

impl From<ApiError> for async_graphql::Error {
    fn from(error: ApiError) -> Self {
        error.0
    }
}

impl From<domain::access::Denied> for ApiError {
    fn from(denied: domain::access::Denied) -> Self {
        Self::new("FORBIDDEN", denied.to_string())
    }
}

impl From<projections::decisions::ReversedPeriod> for ApiError {
    fn from(reversed: projections::decisions::ReversedPeriod) -> Self {
        Self::new("PERIOD_REVERSED", reversed.to_string())
    }
}

impl From<projections::ViewError> for ApiError {
    fn from(error: projections::ViewError) -> Self {
        match error {
            projections::ViewError::InvalidKey(_) => Self::new("CURSOR_INVALID", "after is not a cursor of this list"),
            projections::ViewError::ForeignKey => Self::new(
                "CURSOR_OF_ANOTHER_LIST",
                "after is a cursor of another list, or of this one otherwise ordered or filtered, or of another epoch",
            ),
            projections::ViewError::InTheFuture { .. } => Self::new("AS_OF_FUTURE", error.to_string()),
            projections::ViewError::BeforeTheLog(_) => Self::new("AS_OF_BEFORE_LOG", error.to_string()),
            error => Self::internal(&error),
        }
    }
}

impl From<crate::content::ContentError> for ApiError {
    fn from(error: crate::content::ContentError) -> Self {
        Self::internal(&error)
    }
}

impl From<eventstore::VaultError> for ApiError {
    fn from(error: eventstore::VaultError) -> Self {
        Self::internal(&error)
    }
}

impl From<eventstore::ReadError> for ApiError {
    fn from(error: eventstore::ReadError) -> Self {
        Self::internal(&error)
    }
}

impl From<PublishError> for ApiError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Nothing | PublishError::NotYet { .. } => Self::new("NOT_PUBLISHED", error.to_string()),
            PublishError::Prove(ProveError::OutOfTree(_)) => Self::new("BEYOND_THE_LOG", error.to_string()),
            error => Self::internal(&error),
        }
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match &error {
            CommandError::Internal(cause) => Self::internal(cause.as_ref()),
            error => Self::new(error.code(), error.to_string()),
        }
    }
}
