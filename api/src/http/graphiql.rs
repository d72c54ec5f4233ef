//! The GraphQL page for browsers.

use async_graphql::http::{GraphiQLPlugin, GraphiQLSource};
use axum::response::Html;

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

/// `GraphiQL`. The browser fetches its scripts from their public home.
pub fn page() -> Html<String> {
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
    Html(page)
}
