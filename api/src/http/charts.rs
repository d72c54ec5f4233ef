//! Helm's own way in: the store, and every workspace, is a Helm repository.
//!
//! `helm repo add NAME http://…/charts/store --username x --password TOKEN`. The format of `index.yaml` is Helm's
//! (<https://helm.sh/docs/topics/chart_repository>): one entry per version, the highest first, archives by relative path.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::{access::Place, digest::Digest, names::WorkspaceName, permission::Permission};
use projections::{
    storefront::{self, IndexEntry},
    tenancy,
};
use serde::Serialize;

use super::{
    App, HttpError,
    content::{archive, signed_in},
    extract::Path,
};
use crate::{clock, services::Services};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    api_version: &'static str,
    generated: String,
    entries: BTreeMap<String, Vec<Chart>>,
}

#[derive(Serialize)]
struct Chart {
    #[serde(flatten)]
    metadata: serde_json::Map<String, serde_json::Value>,
    created: String,
    /// Bare hexadecimal digits, as Helm writes it.
    digest: String,
    urls: [String; 1],
}

pub async fn store_index(State(app): State<App>, headers: HeaderMap) -> Result<Response, HttpError> {
    index(&headers, store_entries(&app.services, &headers).await?)
}

pub async fn store_archive(
    State(app): State<App>,
    headers: HeaderMap,
    Path(file): Path<String>,
) -> Result<Response, HttpError> {
    let entries = store_entries(&app.services, &headers).await?;
    archive(&app.services, named(&entries, &file)?).await
}

pub async fn workspace_index(
    State(app): State<App>,
    headers: HeaderMap,
    Path(workspace): Path<String>,
) -> Result<Response, HttpError> {
    index(&headers, workspace_entries(&app.services, &headers, &workspace).await?)
}

pub async fn workspace_archive(
    State(app): State<App>,
    headers: HeaderMap,
    Path((workspace, file)): Path<(String, String)>,
) -> Result<Response, HttpError> {
    let entries = workspace_entries(&app.services, &headers, &workspace).await?;
    archive(&app.services, named(&entries, &file)?).await
}

async fn store_entries(services: &Services, headers: &HeaderMap) -> Result<Vec<IndexEntry>, HttpError> {
    let viewer = signed_in(services, headers)?;
    // Whoever may not see the store sees none.
    viewer
        .authorize(Permission::StoreView, Place::Platform)
        .map_err(|_| HttpError::not_found("repository"))?;
    Ok(services.views.read(storefront::index).await?)
}

async fn workspace_entries(services: &Services, headers: &HeaderMap, name: &str) -> Result<Vec<IndexEntry>, HttpError> {
    let viewer = signed_in(services, headers)?;
    let not_found = || HttpError::not_found("repository");
    let name: WorkspaceName = name.parse().map_err(|_| not_found())?;
    let workspace = services
        .views
        .read(move |view| tenancy::workspace_named(view, &name))
        .await?;
    let workspace = workspace
        .filter(|workspace| viewer.may(Permission::WorkspaceView, Place::Workspace(workspace.id)))
        .ok_or_else(not_found)?;
    Ok(services
        .views
        .read(move |view| storefront::workspace_index(view, workspace.id))
        .await?)
}

fn index(headers: &HeaderMap, mut entries: Vec<IndexEntry>) -> Result<Response, HttpError> {
    entries.retain(|entry| !entry.removed);
    let tag = tag(&entries);
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|seen| seen.as_bytes() == tag.as_bytes())
    {
        return Ok((axum::http::StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    entries.sort_by(|a, b| (&a.chart, &b.number).cmp(&(&b.chart, &a.number)));
    let mut charts: BTreeMap<String, Vec<Chart>> = BTreeMap::new();
    for entry in entries {
        charts.entry(entry.chart.to_string()).or_default().push(chart(&entry));
    }
    let index = Index {
        api_version: "v1",
        generated: rfc3339(clock::now()),
        entries: charts,
    };
    let yaml = serde_yaml::to_string(&index).map_err(|error| HttpError::internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "application/yaml".to_owned()),
        (header::ETAG, tag),
    ];
    Ok((headers, yaml).into_response())
}

fn chart(entry: &IndexEntry) -> Chart {
    let mut metadata = entry
        .metadata
        .as_ref()
        .map(|metadata| metadata.fields().clone())
        .unwrap_or_default();
    // A chart whose description was removed is still found by name and number.
    metadata.insert("name".to_owned(), entry.chart.as_str().into());
    metadata.insert("version".to_owned(), entry.number.as_str().into());
    Chart {
        metadata,
        created: rfc3339(entry.created),
        digest: entry.package.to_string().trim_start_matches("sha256:").to_owned(),
        urls: [file_name(entry)],
    }
}

fn file_name(entry: &IndexEntry) -> String {
    format!("{}-{}.tgz", entry.chart, entry.number)
}

fn named(entries: &[IndexEntry], file: &str) -> Result<Digest, HttpError> {
    let found = entries.iter().find(|entry| file_name(entry) == file);
    found
        .map(|entry| entry.package)
        .ok_or_else(|| HttpError::not_found("archive"))
}

/// Changes exactly when what is listed changes.
fn tag(entries: &[IndexEntry]) -> String {
    let mut listed: Vec<_> = entries
        .iter()
        .map(|entry| format!("{} {}", file_name(entry), entry.package))
        .collect();
    listed.sort();
    format!("\"{}\"", eventstore::Digest::of(listed.join("\n").as_bytes()).to_hex())
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
