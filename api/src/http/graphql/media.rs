//! Which media type an answer has, and with which status.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use crate::{graphql::finish_errors, http::HttpError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: the status says whether the request was understood.
    GraphQl,
    /// `application/json`: 200 for whatever is a well-formed GraphQL answer, for clients from before the specification.
    Json,
}

impl Media {
    /// The type the client likes best of the two, or `None` if it accepts neither.
    pub fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let Some(accept) = headers.get(header::ACCEPT) else {
            return Some(Self::Json);
        };
        let accept = accept.to_str().ok()?;
        let mut best: Option<(f32, Self)> = None;
        for (range, quality) in accept.split(',').map(range_and_quality) {
            let media = match range.as_str() {
                "application/graphql-response+json" => Self::GraphQl,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            if quality > 0.0 && best.is_none_or(|(quality_before, _)| quality > quality_before) {
                best = Some((quality, media));
            }
        }
        best.map(|(_, media)| media)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// An executed request, or one that validation refused.
    pub fn response(self, mut response: async_graphql::Response) -> Response {
        finish_errors(&mut response.errors);
        let headers = std::mem::take(&mut response.http_headers);
        let body = Body::of(&response);
        let status = if body.is_request_error() {
            self.status_of_request_error()
        } else {
            StatusCode::OK
        };
        let mut answer = self.with_status(status, &body);
        answer.headers_mut().extend(headers);
        answer
    }

    pub const fn status_of_request_error(self) -> StatusCode {
        match self {
            Self::GraphQl => StatusCode::BAD_REQUEST,
            Self::Json => StatusCode::OK,
        }
    }

    pub fn with_status(self, status: StatusCode, body: &impl Serialize) -> Response {
        match serde_json::to_string(body) {
            Ok(body) => (status, [(header::CONTENT_TYPE, self.as_str())], body).into_response(),
            Err(error) => HttpError::internal(&error).into_response(),
        }
    }
}

/// What is said of an execution: errors first, so that nobody overlooks them; fields in the order in which they were asked
/// for.
#[derive(Serialize)]
pub struct Body<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [async_graphql::ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a async_graphql::Value>,
}

impl<'a> Body<'a> {
    pub fn of(response: &'a async_graphql::Response) -> Self {
        // A request error has no path, and its answer has no `data` entry, not even null.
        let is_request_error = response.data == async_graphql::Value::Null
            && !response.errors.is_empty()
            && response.errors.iter().all(|error| error.path.is_empty());
        Self {
            errors: &response.errors,
            data: (!is_request_error).then_some(&response.data),
        }
    }

    /// Whether nothing was executed.
    pub const fn is_request_error(&self) -> bool {
        self.data.is_none()
    }
}

pub fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    content_type
        .split(';')
        .next()
        .is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

/// Whether a person's browser asks.
pub fn prefers_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

fn range_and_quality(range: &str) -> (String, f32) {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let quality = parts
        .find_map(|part| part.strip_prefix("q="))
        .and_then(|quality| quality.parse().ok());
    (name, quality.unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(accept: &str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        Media::negotiate(&headers)
    }

    #[test]
    fn the_client_gets_the_type_it_likes_best() {
        assert_eq!(Media::negotiate(&HeaderMap::new()), Some(Media::Json));
        assert_eq!(
            accepting("application/graphql-response+json, application/json;q=0.9"),
            Some(Media::GraphQl)
        );
        assert_eq!(
            accepting("application/json, application/graphql-response+json;q=0.5"),
            Some(Media::Json)
        );
        assert_eq!(accepting("*/*"), Some(Media::Json));
        assert_eq!(accepting("text/html"), None);
        assert_eq!(accepting("application/json;q=0"), None);
    }
}
