//! `POST /uploads?workspace=<id>&kind=chart|icon|screenshot`: bytes come in, are checked, and leave as an upload id.
//!
//! Nothing is kept of what breaks a rule. What is kept is named by an upload id that works for this account and this
//! workspace, for a day; the digest of the bytes opens nothing.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use domain::{
    access::{Place, Principal},
    app::Package,
    ids::WorkspaceId,
    names::ChartName,
    permission::Permission,
    version_number::VersionNumber,
};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};

use super::{App, HttpError, extract::Query};
use crate::{
    auth::Sender,
    chart_archive::{self, Chart},
    clock,
    content::Document,
    graphql::NodeId,
    icon,
    services::Services,
    uploads::{Upload, Uploaded},
};

/// How much of an upload that is too large is taken in beyond its limit, and dropped.
const DROPPED_MAX_BYTES: u64 = 64 << 20;

#[derive(Deserialize)]
pub struct Parameters {
    workspace: String,
    kind: Kind,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Chart,
    Icon,
    Screenshot,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    upload_id: String,
    expires_at: DateTime<Utc>,
    size_bytes: usize,
    /// What the chart says it is; absent for images.
    #[serde(skip_serializing_if = "Option::is_none")]
    chart: Option<ChartSummary>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChartSummary {
    name: ChartName,
    version: VersionNumber,
    app_version: Option<String>,
    description: Option<String>,
}

pub async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    Query(Parameters { workspace, kind }): Query<Parameters>,
    body: Body,
) -> Result<Response, HttpError> {
    let services = &app.services;
    let Sender::Account(principal, _) = Sender::of(&headers, services)? else {
        return Err(HttpError::unauthenticated());
    };
    let workspace = allowed(&principal, &workspace, kind)?;
    // A few at a time: each is held in memory, decompressed and parsed.
    let Ok(_place) = services.uploads.acquire().await else {
        return Err(HttpError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "TIMEOUT",
            "the server is stopping",
        ));
    };
    let bytes = read(body, services, kind).await?;

    let size_bytes = bytes.len();
    let (content, chart) = match kind {
        Kind::Chart => chart(services, bytes).await?,
        Kind::Icon => {
            icon::check(&bytes).map_err(|error| refused(error.code(), error.to_string()))?;
            (
                Uploaded::Icon {
                    image: services.content.put(bytes).await?,
                },
                None,
            )
        }
        Kind::Screenshot => {
            icon::check_screenshot(&bytes).map_err(|error| refused(error.code(), error.to_string()))?;
            (
                Uploaded::Screenshot {
                    image: services.content.put(bytes).await?,
                },
                None,
            )
        }
    };
    let too_far = || {
        HttpError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "uploads are set to live too long",
        )
    };
    let expires_at = clock::after(services.limits.upload_lifetime).ok_or_else(too_far)?;
    let upload = Upload {
        account: principal.account,
        workspace,
        expires: expires_at,
        content,
    };
    let upload_id = upload
        .to_id(&services.key)
        .map_err(|error| HttpError::internal(&error))?;
    Ok((
        StatusCode::CREATED,
        Json(Answer {
            upload_id,
            expires_at,
            size_bytes,
            chart,
        }),
    )
        .into_response())
}

fn allowed(principal: &Principal, workspace: &str, kind: Kind) -> Result<WorkspaceId, HttpError> {
    let not_found = || HttpError::not_found("workspace");
    let Some(NodeId::Workspace(workspace)) = NodeId::parse(workspace) else {
        return Err(not_found());
    };
    let place = Place::Workspace(workspace);
    if !principal.may(Permission::WorkspaceView, place) {
        return Err(not_found());
    }
    let needs: &[Permission] = match kind {
        Kind::Chart => &[
            Permission::AppUpload,
            Permission::VersionUpload,
            Permission::PackageReplace,
        ],
        Kind::Icon | Kind::Screenshot => &[Permission::ListingEdit],
    };
    if needs.iter().any(|permission| principal.may(*permission, place)) {
        return Ok(workspace);
    }
    let message = format!("this needs the permission {}", needs[0]);
    Err(HttpError::new(StatusCode::FORBIDDEN, "FORBIDDEN", message))
}

/// The whole body, if it keeps the limit of its kind.
///
/// More than that is taken in and dropped, up to a bound: a client whose connection closes while it is still sending
/// may never read why it was refused.
async fn read(body: Body, services: &Services, kind: Kind) -> Result<Bytes, HttpError> {
    let (limit, code) = match kind {
        Kind::Chart => (services.limits.archive_max_bytes, "ARCHIVE_TOO_LARGE"),
        Kind::Icon => (icon::ICON_MAX_BYTES, "ICON_TOO_LARGE"),
        Kind::Screenshot => (icon::SCREENSHOT_MAX_BYTES, "SCREENSHOT_TOO_LARGE"),
    };
    let too_large = |found: &str| {
        let message = format!("the upload has {found} bytes, and {limit} are allowed");
        HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, code, message)
    };
    let (mut kept, mut found_bytes) = (BytesMut::new(), 0);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|_| HttpError::new(StatusCode::BAD_REQUEST, "UPLOAD_INCOMPLETE", "the upload broke off"))?;
        found_bytes += chunk.len() as u64;
        if found_bytes > limit.saturating_add(DROPPED_MAX_BYTES) {
            return Err(too_large(&format!("more than {found_bytes}")));
        }
        if found_bytes <= limit {
            kept.extend_from_slice(&chunk);
        }
    }
    if found_bytes > limit {
        return Err(too_large(&found_bytes.to_string()));
    }
    Ok(kept.freeze())
}

async fn chart(services: &Services, bytes: Bytes) -> Result<(Uploaded, Option<ChartSummary>), HttpError> {
    let chart = checked(services, bytes.clone()).await?;
    let Chart { metadata, .. } = &chart;
    let name: ChartName = metadata
        .name
        .parse()
        .map_err(|error| refused("CHART_NAME_INVALID", format!("Chart.yaml: name: {error}")))?;
    let version: VersionNumber = metadata
        .version
        .parse()
        .map_err(|error| refused("CHART_VERSION_INVALID", format!("Chart.yaml: version: {error}")))?;
    let size = bytes.len().to_string();
    // Both are durable before an event can name them.
    let digest = services.content.put(bytes).await?;
    let document = Document::new(&chart)?;
    let described = document.digest;
    services.content.keep(document).await?;
    let summary = ChartSummary {
        name: name.clone(),
        version: version.clone(),
        app_version: metadata.app_version.clone(),
        description: metadata.description.clone(),
    };
    let package = Package {
        digest,
        chart: described,
        size,
    };
    Ok((Uploaded::Chart { name, version, package }, Some(summary)))
}

/// Decompressing and parsing may take a while, so it has a thread of its own.
async fn checked(services: &Services, bytes: Bytes) -> Result<Chart, HttpError> {
    let limits = services.limits.archive();
    let read = tokio::task::spawn_blocking(move || chart_archive::read(&bytes, &limits)).await;
    let chart = read.map_err(|error| HttpError::internal(&error))?;
    chart.map_err(|error| refused(error.code(), error.to_string()))
}

fn refused(code: &'static str, message: String) -> HttpError {
    HttpError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
}
