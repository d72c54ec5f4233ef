//! Asking the provider: encrypted, bounded, and nobody else.

use std::time::Duration;

use futures_util::future::BoxFuture;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::{Url, redirect};

/// How long the provider may take over an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_MAX_BYTES: usize = 1 << 20;

pub struct Client(reqwest::Client);

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("the provider could not be reached")]
    Http(#[from] reqwest::Error),
    #[error("the provider names an address that is reached without encryption")]
    Insecure,
    #[error("the provider's answer has more than {ANSWER_MAX_BYTES} bytes")]
    TooLarge,
    #[error("the provider's answer could not be understood")]
    Malformed(#[from] openidconnect::http::Error),
}

impl Client {
    /// # Errors
    ///
    /// If there can be no HTTP client.
    pub fn new() -> Result<Self, reqwest::Error> {
        // A provider that sends somewhere else would choose whom this server asks.
        let client = reqwest::Client::builder().redirect(redirect::Policy::none());
        client.timeout(TIMEOUT).build().map(Self)
    }

    /// Sends one request, and takes the answer in as far as it is allowed to go.
    ///
    /// # Errors
    ///
    /// [`AskError`]; a status that tells of a failure is none.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, AskError> {
        let request = reqwest::Request::try_from(request)?;
        if !is_safe(request.url()) {
            return Err(AskError::Insecure);
        }
        let mut response = self.0.execute(request).await?;
        let mut body = vec![];
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_MAX_BYTES {
                return Err(AskError::TooLarge);
            }
        }
        let mut answer = openidconnect::http::Response::builder().status(response.status());
        for (name, value) in response.headers() {
            answer = answer.header(name, value);
        }
        Ok(answer.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Client {
    type Error = AskError;
    type Future = BoxFuture<'c, Result<HttpResponse, AskError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// Whether what is said there stays between the two: encrypted, or on this machine.
#[must_use]
pub fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(is_this_machine),
        _ => false,
    }
}

/// Whether the host of a URL is this machine.
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_encryption_only_this_machine_is_asked() {
        let is_safe = |url: &str| is_safe(&url.parse().unwrap());
        for safe in [
            "https://login.example",
            "http://127.0.0.1:9000/x",
            "http://[::1]/",
            "http://localhost:1",
        ] {
            assert!(is_safe(safe), "{safe}");
        }
        for unsafe_ in [
            "http://login.example",
            "http://127.0.0.1.evil.example",
            "http://10.0.0.1",
            "file:///etc/passwd",
        ] {
            assert!(!is_safe(unsafe_), "{unsafe_}");
        }
    }
}
