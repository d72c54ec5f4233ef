//! The GraphQL page for browsers.

use axum::response::Html;

/// `GraphiQL`, and the form of its first query. The browser fetches its scripts from their public home.
pub fn page() -> Html<String> {
    Html(async_graphql::http::GraphiQLSource::build().endpoint("/graphql").subscription_endpoint("/graphql/ws").title("Charthouse").finish())
}
