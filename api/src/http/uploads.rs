//! `POST /uploads?workspace=<id>&kind=chart|icon|screenshot`: bytes come in, are checked, and leave as an upload id.
//!
//! Nothing is kept of what breaks a rule. What is kept is named by an upload id that works for this account and this
//! workspace, for a day; the digest of the bytes opens nothing.

use axum::{
    Json,
    body::{Body, HttpBody as _, to_bytes},
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::{
    access::{Place, Principal},
    app::Package,
    ids::WorkspaceId,
    names::ChartName,
    permission::Permission,
    version_number::VersionNumber,
};
use http_body_util::LengthLimitError;
use serde::{Deserialize, Serialize};

use super::{App, HttpError, extract::Query};
use crate::{
    auth::Sender,
    chart_archive::{self, Chart},
    clock,
    graphql::NodeId,
    icon,
    services::Services,
    uploads::{Upload, Uploaded},
};

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
    let Sender::Account(principal) = Sender::of(&headers, &services.views)? else {
        return Err(HttpError::unauthenticated());
    };
    let workspace = allowed(&principal, &workspace, kind)?;
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
    let expires_at = clock::now() + services.limits.upload_lifetime;
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

/// The whole body, if it keeps the limit of its kind. No more than one byte beyond it is read.
async fn read(body: Body, services: &Services, kind: Kind) -> Result<Bytes, HttpError> {
    let (limit, code) = match kind {
        Kind::Chart => (services.limits.archive_max_bytes, "ARCHIVE_TOO_LARGE"),
        Kind::Icon => (icon::ICON_MAX_BYTES, "ICON_TOO_LARGE"),
        Kind::Screenshot => (icon::SCREENSHOT_MAX_BYTES, "SCREENSHOT_TOO_LARGE"),
    };
    let limit_bytes = usize::try_from(limit).unwrap_or(usize::MAX);
    let too_large = |found: &str| {
        let message = format!("the upload has {found} bytes, and {limit} are allowed");
        HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, code, message)
    };
    // What says how large it is need not be read to be refused.
    let announced = body.size_hint().exact().filter(|bytes| *bytes > limit);
    if let Some(bytes) = announced {
        return Err(too_large(&bytes.to_string()));
    }
    to_bytes(body, limit_bytes).await.map_err(|error| {
        let cause = std::error::Error::source(&error);
        if cause.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
            too_large(&format!("more than {limit}"))
        } else {
            HttpError::new(StatusCode::BAD_REQUEST, "UPLOAD_INCOMPLETE", "the upload broke off")
        }
    })
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
    let document = services.content.put_chart(&chart).await?;
    let summary = ChartSummary {
        name: name.clone(),
        version: version.clone(),
        app_version: metadata.app_version.clone(),
        description: metadata.description.clone(),
    };
    let package = Package {
        digest,
        chart: document,
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
