//! What is asked.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::version_number::VersionNumber;
use serde_json::{Value, json};

use crate::{
    fill::{CATEGORIES, word},
    filler::id,
};

const STORE: &str = "query Store($search: String, $category: ID, $asOf: AsOf) {
  store(search: $search, category: $category, asOf: $asOf, first: 20) {
    edges {
      cursor
      node {
        chartName displayName summary keywords iconPath appVersion publishedAt firstPublishedAt
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}";
const FACETS: &str = "query Facets($asOf: AsOf) { categories(asOf: $asOf) { nodes { name apps } uncategorisedApps } }";
const QUEUE: &str =
    "query Queue($asOf: AsOf) { reviewQueue(asOf: $asOf, first: 20) { nodes { submission submittedAt } } }";

/// The first page of a shelf, of what has a word in its text.
pub(crate) fn searched_store(n: u64) -> String {
    let category = global_id("Category", &id(u128::from(n) % CATEGORIES).to_string());
    request(STORE, &json!({ "search": word(n / 10), "category": category }))
}

/// The first page of a shelf, now or as of a position.
pub(crate) fn shelf(n: u64, as_of: Option<u64>) -> String {
    let category = global_id("Category", &id(u128::from(n) % CATEGORIES).to_string());
    request(STORE, &json!({ "category": category, "asOf": moment(as_of) }))
}

pub(crate) fn facets(as_of: u64) -> String {
    request(FACETS, &json!({ "asOf": moment(Some(as_of)) }))
}

pub(crate) fn queue(as_of: u64) -> String {
    request(QUEUE, &json!({ "asOf": moment(Some(as_of)) }))
}

/// Submits a draft, or takes it back.
pub(crate) fn command(mutation: &str, app: u128, version: &VersionNumber) -> String {
    let query = format!(
        "mutation Command($input: VersionInput!) {{ {mutation}(input: $input) {{ version {{ stage }} position userErrors {{ code message }} }} }}"
    );
    request(&query, &json!({ "input": { "version": version_id(app, version) } }))
}

pub(crate) fn stage(app: u128, version: &VersionNumber) -> String {
    let query = "query Stage($id: ID!) { version(id: $id) { stage } }";
    request(query, &json!({ "id": version_id(app, version) }))
}

fn request(query: &str, variables: &Value) -> String {
    json!({ "query": query, "variables": variables }).to_string()
}

fn moment(as_of: Option<u64>) -> Option<Value> {
    as_of.map(|position| json!({ "position": position.to_string() }))
}

fn version_id(app: u128, version: &VersionNumber) -> String {
    global_id("Version", &format!("{}:{version}", id(app)))
}

fn global_id(kind: &str, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{kind}:{key}"))
}
