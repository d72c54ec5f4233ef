//! The cookie of a session. Its name makes browsers hold it to this host, to HTTPS and to all paths; no script reads it.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};

/// The name of the session's cookie.
pub const SESSION: &str = "__Host-charthouse-session";

/// Whether the request shows a session.
#[must_use]
pub fn has_session(headers: &HeaderMap) -> bool {
    session(headers).is_some()
}

/// The secret of the session that the request shows.
#[must_use]
pub fn session(headers: &HeaderMap) -> Option<&str> {
    named(headers, SESSION)
}

/// The value of a cookie.
#[must_use]
pub fn named<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    cookies
        .flat_map(|header| header.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

/// Gives a browser a cookie for so long.
///
/// `None` if `value` has characters that no cookie has.
#[must_use]
pub fn given(name: &str, value: &str, lifetime: Duration) -> Option<HeaderValue> {
    let seconds = lifetime.as_secs();
    // Lax, and not Strict: whoever comes back from a provider, or follows a link, is still signed in.
    format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")
        .parse()
        .ok()
}

/// Takes a cookie away.
#[must_use]
pub fn taken(name: &str) -> Option<HeaderValue> {
    given(name, "", Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        assert!(!has_session(&headers));
        headers.append(COOKIE, "a=1; __Host-charthouse-session=secret; b=2".parse().unwrap());
        headers.append(COOKIE, "c=x=y".parse().unwrap());
        assert_eq!(session(&headers), Some("secret"));
        assert_eq!(named(&headers, "c"), Some("x=y"));
        assert_eq!(named(&headers, "charthouse-session"), None);
    }

    #[test]
    fn a_browser_keeps_the_session_to_this_host_to_https_and_from_scripts() {
        let given = given(SESSION, "secret", Duration::from_secs(60)).unwrap();
        assert_eq!(
            given,
            "__Host-charthouse-session=secret; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax"
        );
        assert!(taken(SESSION).unwrap().to_str().unwrap().contains("Max-Age=0"));
    }
}
