//! The GraphQL page for browsers.

use async_graphql::http::{GraphiQLPlugin, GraphiQLSource};
use axum::{
    http::{HeaderMap, header},
    response::{Html, IntoResponse as _, Response},
};

/// Takes a token and a first query from the part of the address behind `#`, which browsers do not send to servers, so
/// that a link can open a page that is ready to ask. Says so where the scripts of `GraphiQL` cannot be fetched.
const FROM_ADDRESS: &str = r#"<script>
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.get('token')) sessionStorage.setItem('charthouse:token', given.get('token'));
  const token = sessionStorage.getItem('charthouse:token');
  const plainFetch = window.fetch;
  window.fetch = (url, options = {}) => plainFetch(url, token && new URL(url, location).origin === location.origin
    ? { ...options, headers: { Authorization: 'Bearer ' + token, ...options.headers } } : options);
  if (typeof GraphiQL === 'undefined' || typeof React === 'undefined') {
    document.getElementById('graphiql').textContent =
      'The scripts of GraphiQL could not be fetched. Send queries to ' + location.origin + '/graphql by POST instead.';
  } else {
    const plainElement = React.createElement;
    React.createElement = (type, props, ...rest) => plainElement(type,
      type === GraphiQL && given.get('query') ? { ...props, defaultQuery: given.get('query'), query: given.get('query') } : props, ...rest);
  }
</script>"#;

/// Scripts and styles from their public home and from the page itself; words with this server only.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline' https://unpkg.com; \
    style-src 'unsafe-inline' https://unpkg.com; font-src data: https://unpkg.com; img-src data: https://graphql.org; \
    worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'";

/// `GraphiQL`. The browser fetches its scripts from their public home.
pub fn page(headers: &HeaderMap) -> Response {
    let from_address = GraphiQLPlugin {
        name: "from address",
        constructor: "",
        head_assets: None,
        body_assets: Some(FROM_ADDRESS),
        pre_configs: None,
        props: None,
    };
    let page = GraphiQLSource::build()
        .endpoint("/graphql")
        .subscription_endpoint("/graphql/ws")
        .title("Charthouse")
        .plugins(&[from_address])
        .finish();
    ([(header::CONTENT_SECURITY_POLICY, policy(headers))], Html(page)).into_response()
}

/// Not every browser takes the server's web sockets for the server itself, so they are named.
fn policy(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let is_plain = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
    match host.filter(is_plain) {
        Some(host) => format!("{POLICY} ws://{host} wss://{host}"),
        None => POLICY.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_speaks_with_its_own_server_only() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "store.example:7070".parse().unwrap());
        assert!(policy(&headers).ends_with("connect-src 'self' ws://store.example:7070 wss://store.example:7070"));
        headers.insert(header::HOST, "x; connect-src *".parse().unwrap());
        assert!(policy(&headers).ends_with("connect-src 'self'"));
    }
}
