//! Questions that many stories ask.

use serde_json::{Value, json};

use crate::{Person, list, text, texts};

/// What the store shows of its apps.
pub const STORE: &str = "query($search: String, $category: ID, $uncategorised: Boolean! = false) { \
    store(search: $search, category: $category, uncategorised: $uncategorised) { \
    nodes { chartName displayName summary iconPath category { name } latestVersion { id number } } } }";

/// The names the store shows, the newest publication first.
pub async fn store(person: &Person, variables: Value) -> Vec<String> {
    let found = person.ask(STORE, variables).await;
    let names = texts(&found, "/store/nodes", "/displayName");
    names.into_iter().map(str::to_owned).collect()
}

/// How many submissions wait for a review or are in one.
pub async fn queue_length(reviewer: &Person) -> usize {
    let query = "{ reviewQueue(first: 100) { nodes { submission } } }";
    list(&reviewer.ask(query, json!({})).await, "/reviewQueue/nodes").len()
}

/// The stage of a version.
pub async fn stage(person: &Person, version: &str) -> String {
    let query = "query($id: ID!) { version(id: $id) { stage } }";
    text(&person.ask(query, json!({ "id": version })).await, "/version/stage").to_owned()
}

/// The status of an app.
pub async fn status(person: &Person, app: &str) -> String {
    let query = "query($id: ID!) { app(id: $id) { status } }";
    text(&person.ask(query, json!({ "id": app })).await, "/app/status").to_owned()
}
