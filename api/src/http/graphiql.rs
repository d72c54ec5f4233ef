//! The GraphQL page for browsers.

use async_graphql::http::{GraphiQLPlugin, GraphiQLSource};
use axum::{
    http::{HeaderMap, header},
    response::{Html, IntoResponse as _, Response},
};

use crate::auth::oidc::Provider;

/// Takes a token and a first query from the part of the address behind `#`, which browsers do not send to servers, so
/// that a link can open a page that is ready to ask. A token only on the machine itself, where the demo runs: elsewhere
/// anybody could send a link that makes whoever follows it act as somebody else. Says so where the scripts of `GraphiQL`
/// cannot be fetched.
const FROM_ADDRESS: &str = r#"<script>
  const given = new URLSearchParams(location.hash.slice(1));
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
  if (isHere && given.get('token')) sessionStorage.setItem('charthouse:token', given.get('token'));
  const token = sessionStorage.getItem('charthouse:token');
  const shown = token ? { Authorization: 'Bearer ' + token } : {};
  if (typeof GraphiQL === 'undefined' || typeof React === 'undefined') {
    document.getElementById('graphiql').textContent =
      'The scripts of GraphiQL could not be fetched. Send queries to ' + location.origin + '/graphql by POST instead.';
  } else {
    const plainFetcher = GraphiQL.createFetcher;
    GraphiQL.createFetcher = options => plainFetcher({ ...options, headers: shown, wsConnectionParams: shown });
    const plainElement = React.createElement;
    React.createElement = (type, props, ...rest) => plainElement(type,
      type === GraphiQL && given.get('query') ? { ...props, defaultQuery: given.get('query'), query: given.get('query') } : props, ...rest);
  }
</script>"#;

/// Scripts and styles from their public home and from the page itself; words with this server only.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline' https://unpkg.com; \
    style-src 'unsafe-inline' https://unpkg.com; font-src data: https://unpkg.com; img-src data: https://graphql.org; \
    worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'";

/// Beside the mutation `signIn`, which the page can send like any other.
const SIGN_IN: &str = r#"<a href="/auth/oidc/start" style="position: fixed; right: 1em; bottom: 0.5em; z-index: 1;
  font: 14px sans-serif">Sign in with OpenID Connect</a>"#;

/// `GraphiQL`, with a way to sign in by the provider if there is one. The browser fetches its scripts from their public
/// home.
pub fn page(headers: &HeaderMap, provider: Option<&Provider>) -> Response {
    let mut plugins = vec![part("from address", FROM_ADDRESS)];
    plugins.extend(provider.map(|_| part("sign in", SIGN_IN)));
    let page = GraphiQLSource::build()
        .endpoint("/graphql")
        .subscription_endpoint("/graphql/ws")
        .title("Charthouse")
        .plugins(&plugins)
        .finish();
    ([(header::CONTENT_SECURITY_POLICY, policy(headers))], Html(page)).into_response()
}

const fn part<'a>(name: &'a str, body: &'a str) -> GraphiQLPlugin<'a> {
    GraphiQLPlugin {
        name,
        constructor: "",
        head_assets: None,
        body_assets: Some(body),
        pre_configs: None,
        props: None,
    }
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
