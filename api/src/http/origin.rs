//! No page of somebody else acts for whoever is signed in here.
//!
//! A browser sends the session's cookie along with whatever any page makes it send. So a request that could change
//! something, or opens a web socket, and brings the cookie, must come from a page of this server: the browser says so in
//! `Origin` or `Sec-Fetch-Site`, which no page can forge. Whoever sends a token in `Authorization` needs no proof, since a
//! browser does not add that by itself. Nor may a link from elsewhere start an export, which would be recorded.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::refusal::Reason;

use super::{App, HttpError};
use crate::auth::cookie;

/// Where a request says that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Own,
    Foreign,
    /// It does not say: no browser of today made it.
    Unsaid,
}

/// Refuses what a foreign page sent, and takes a cookie away that opens nothing any more.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_socket = headers.contains_key(header::UPGRADE);
    // A web socket brings its token later, if it has one.
    let speaks_for_itself = headers.contains_key(header::AUTHORIZATION) && !is_socket;
    let by_cookie = cookie::has_session(headers) && !speaks_for_itself;
    // An export is recorded. Whoever types its address may start one, and no page of somebody else.
    let is_started_elsewhere = request.uri().path().starts_with("/exports/") && is_sent_by_foreign_page(headers);
    let is_harmless = request.method().is_safe() && !is_socket && !is_started_elsewhere;
    let is_refused = match source(headers, app.doors.public_url.as_deref()) {
        _ if is_harmless || speaks_for_itself => false,
        Source::Own => false,
        Source::Unsaid => by_cookie,
        // Without the cookie it could still sign somebody in; a socket then waits for a token.
        Source::Foreign => by_cookie || request.method() != Method::GET,
    };
    if is_refused {
        app.services.auth.refusals.note(None, Reason::ForeignOrigin);
        let message = "this was not sent by a page of this server";
        return HttpError::new(StatusCode::FORBIDDEN, "FOREIGN_ORIGIN", message).into_response();
    }
    let mut response = next.run(request).await;
    let taken = cookie::taken(cookie::SESSION).filter(|_| by_cookie);
    if let Some(taken) = taken.filter(|_| response.status() == StatusCode::UNAUTHORIZED) {
        response.headers_mut().append(header::SET_COOKIE, taken);
    }
    response
}

fn is_sent_by_foreign_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site == "cross-site" || site == "same-site")
}

/// `public_url` is the origin by which browsers know the server; without it, it is whatever they asked for in `Host`.
fn source(headers: &HeaderMap, public_url: Option<&str>) -> Source {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &axum::http::HeaderValue| value.to_str().ok())
    };
    let site = text(header::HeaderName::from_static("sec-fetch-site"));
    let is_own = |origin: &str| match public_url {
        Some(own) => origin == own,
        None => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_some() && authority == text(header::HOST)
        }
    };
    match (
        headers
            .get(header::ORIGIN)
            .map(|_| text(header::ORIGIN).is_some_and(is_own)),
        site,
    ) {
        (Some(false), _) => Source::Foreign,
        (_, Some(site)) if site != "same-origin" => Source::Foreign,
        (None, None) => Source::Unsaid,
        (Some(true), _) | (None, Some(_)) => Source::Own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(headers: &[(&'static str, &str)], public_url: Option<&str>) -> Source {
        let headers = headers
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()));
        source(&headers.collect(), public_url)
    }

    #[test]
    fn a_page_of_the_host_that_was_asked_is_an_own_one() {
        let host = ("host", "store.example:7070");
        assert_eq!(
            said(&[host, ("origin", "https://store.example:7070")], None),
            Source::Own
        );
        for foreign in [
            "https://evil.example",
            "https://store.example",
            "null",
            "store.example:7070",
            "",
        ] {
            assert_eq!(said(&[host, ("origin", foreign)], None), Source::Foreign, "{foreign}");
        }
    }

    #[test]
    fn a_public_address_is_the_only_own_one() {
        let own = Some("https://store.example");
        let host = ("host", "10.0.0.7:7070");
        assert_eq!(said(&[host, ("origin", "https://store.example")], own), Source::Own);
        assert_eq!(said(&[host, ("origin", "http://store.example")], own), Source::Foreign);
        assert_eq!(said(&[host, ("origin", "http://10.0.0.7:7070")], own), Source::Foreign);
    }

    #[test]
    fn what_the_browser_says_of_the_site_counts_with_and_without_an_origin() {
        assert_eq!(said(&[("sec-fetch-site", "same-origin")], None), Source::Own);
        for foreign in ["cross-site", "same-site", "none"] {
            assert_eq!(said(&[("sec-fetch-site", foreign)], None), Source::Foreign, "{foreign}");
        }
        let both = [
            ("host", "a.example"),
            ("origin", "https://a.example"),
            ("sec-fetch-site", "cross-site"),
        ];
        assert_eq!(said(&both, None), Source::Foreign);
        assert_eq!(said(&[("host", "a.example")], None), Source::Unsaid);
    }
}
