//! Errors of the plain HTTP doors: `{"error":{"code":…,"message":…}}`.

use std::time::Duration;

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::access::Denied;
use domain::{content::Removed, digest::Digest};
use serde_json::json;

use crate::{
    auth::{InvalidCredentials, attempts::TooOften},
    commands::CommandError,
    exports::{ExportError, InvalidParameter},
    freshness::Stale,
    graphql::timed_out,
};

#[derive(Debug)]
pub struct HttpError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after_seconds: Option<u64>,
}

impl HttpError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after_seconds: None,
        }
    }

    /// For what does not exist and for what this caller may not know of, alike.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", format!("there is no such {what}"))
    }

    /// For bytes that were taken away for good.
    #[must_use]
    pub fn removed(digest: Digest) -> Self {
        Self::new(StatusCode::GONE, "CONTENT_REMOVED", Removed { digest }.to_string())
    }

    #[must_use]
    pub fn unauthenticated() -> Self {
        let message = "sign in, or send a token: Authorization: Bearer <token>";
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
    }

    #[must_use]
    pub fn forbidden(denied: &domain::access::Denied) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", denied.to_string())
    }

    /// For paths that exist and are asked in another way.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let message = "this path does not answer that method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
    }

    /// All `places` for such an answer are taken.
    #[must_use]
    pub fn busy(what: &str, places: usize) -> Self {
        let message = format!("{places} {what} are under way, and no more are answered at once; try again later");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_AT_ONCE", message)
    }

    /// Whoever tries to sign in has to wait.
    #[must_use]
    pub fn too_often(often: TooOften) -> Self {
        Self {
            retry_after_seconds: Some(often.retry_after_seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "SIGN_IN_TOO_OFTEN", often.to_string())
        }
    }

    #[must_use]
    pub fn timeout(limit: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "TIMEOUT", timed_out(limit))
    }

    /// Logs the cause; the caller learns only that there was one.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "the server failed")
    }
}

impl From<InvalidCredentials> for HttpError {
    fn from(invalid: InvalidCredentials) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", invalid.to_string())
    }
}

impl From<Stale> for HttpError {
    fn from(stale: Stale) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "LOG_UNAVAILABLE", stale.to_string())
    }
}

impl From<InvalidParameter> for HttpError {
    fn from(invalid: InvalidParameter) -> Self {
        Self::new(StatusCode::BAD_REQUEST, invalid.code(), invalid.to_string())
    }
}

impl From<ExportError> for HttpError {
    fn from(error: ExportError) -> Self {
        match &error {
            ExportError::NoDecision => Self::not_found("decision"),
            ExportError::TooMany { .. } => Self::new(StatusCode::BAD_REQUEST, "EXPORT_TOO_LARGE", error.to_string()),
            error => Self::internal(error),
        }
    }
}

impl From<CommandError> for HttpError {
    fn from(error: CommandError) -> Self {
        let status = match &error {
            CommandError::Internal(cause) => return Self::internal(cause.as_ref()),
            CommandError::NotFound(_) => StatusCode::NOT_FOUND,
            CommandError::Denied(_) => StatusCode::FORBIDDEN,
            CommandError::Unauthenticated => StatusCode::UNAUTHORIZED,
            error if error.is_expected() => StatusCode::CONFLICT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<Denied> for HttpError {
    fn from(denied: Denied) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", denied.to_string())
    }
}

impl From<eventstore::ReadError> for HttpError {
    fn from(error: eventstore::ReadError) -> Self {
        Self::internal(&error)
    }
}

impl From<projections::ViewError> for HttpError {
    fn from(error: projections::ViewError) -> Self {
        Self::internal(&error)
    }
}

impl From<crate::content::ContentError> for HttpError {
    fn from(error: crate::content::ContentError) -> Self {
        match error {
            crate::content::ContentError::Removed(Removed { digest }) => Self::removed(digest),
            error => Self::internal(&error),
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": { "code": self.code, "message": self.message } }));
        let mut response = (self.status, body).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = header::HeaderValue::from_static("Basic realm=\"charthouse\", Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
