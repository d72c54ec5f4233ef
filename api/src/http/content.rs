//! Bytes of published content, read through the app that names them. A digest alone opens nothing.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use domain::{access::Principal, digest::Digest, ids::AppId, listing::Listing, version_number::VersionNumber};
use projections::{apps, content::removal};
use serde::Deserialize;

use super::{
    App, HttpError,
    extract::{Path, Query},
};
use crate::{auth::Sender, icon, services::Services};

#[derive(Deserialize)]
pub struct Which {
    /// The digest of the listing the picture is part of.
    listing: Digest,
}

pub async fn icon(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<AppId>,
    Query(which): Query<Which>,
) -> Result<Response, HttpError> {
    let listing = listing(&app.services, &headers, id, which.listing).await?;
    picture(&app.services, listing.icon, "icon").await
}

pub async fn screenshot(
    State(app): State<App>,
    headers: HeaderMap,
    Path((id, number)): Path<(AppId, usize)>,
    Query(which): Query<Which>,
) -> Result<Response, HttpError> {
    let listing = listing(&app.services, &headers, id, which.listing).await?;
    let shown = number
        .checked_sub(1)
        .and_then(|index| listing.screenshots.get(index).copied());
    picture(&app.services, shown, "screenshot").await
}

pub async fn package(
    State(app): State<App>,
    headers: HeaderMap,
    Path((id, number)): Path<(AppId, VersionNumber)>,
) -> Result<Response, HttpError> {
    let viewer = signed_in(&app.services, &headers)?;
    let not_found = || HttpError::not_found("version");
    let found = app
        .services
        .views
        .read(move |view| Ok((apps::app(view, id)?, apps::version(view, id, &number)?)))
        .await?;
    let (Some(of), Some(version)) = found else {
        return Err(not_found());
    };
    let visibility = of.visibility();
    if !viewer.sees_app(&visibility) || !viewer.sees_version(&visibility, version.stage.visibility()) {
        return Err(not_found());
    }
    archive(&app.services, version.package.digest).await
}

/// A chart archive the caller has found the way to.
pub async fn archive(services: &Services, digest: Digest) -> Result<Response, HttpError> {
    not_removed(services, digest).await?;
    let bytes = services
        .content
        .get(digest)
        .await?
        .ok_or_else(|| HttpError::not_found("archive"))?;
    let headers = [
        (header::CONTENT_TYPE, "application/gzip".to_owned()),
        (header::ETAG, format!("\"{digest}\"")),
    ];
    Ok((headers, bytes).into_response())
}

/// Says so of what was removed, to whoever has found the way to it.
async fn not_removed(services: &Services, digest: Digest) -> Result<(), HttpError> {
    match services.views.read(move |view| removal(view, &digest)).await? {
        Some(_) => Err(HttpError::removed(digest)),
        None => Ok(()),
    }
}

pub fn signed_in(services: &Services, headers: &HeaderMap) -> Result<Arc<Principal>, HttpError> {
    match Sender::of(headers, services)? {
        Sender::Account(principal, _) => Ok(principal),
        Sender::Anonymous => Err(HttpError::unauthenticated()),
    }
}

/// A listing of an app the viewer may know of, by its digest: the published one for whoever sees the app, others for
/// its workspace and for reviewers.
async fn listing(services: &Services, headers: &HeaderMap, id: AppId, digest: Digest) -> Result<Listing, HttpError> {
    use domain::{access::Place, permission::Permission};
    let viewer = signed_in(services, headers)?;
    let not_found = || HttpError::not_found("listing");
    let app = services.views.read(move |view| apps::app(view, id)).await?;
    let app = app
        .filter(|app| viewer.sees_app(&app.visibility()))
        .ok_or_else(not_found)?;
    let from_inside = viewer.may(Permission::WorkspaceView, Place::Workspace(app.workspace))
        || viewer.may(Permission::ReviewView, Place::Platform);
    let review = app.listing.review.as_ref().map(|review| review.listing);
    let is_open = app.listing.published == Some(digest);
    let is_own = app.listing.draft == digest || review == Some(digest) || submitted(services, id, digest).await?;
    if !(is_open || (from_inside && is_own)) {
        return Err(not_found());
    }
    services.content.listing(digest).await?.ok_or_else(not_found)
}

/// Whether a listing stands in the submission of one of the app's versions.
async fn submitted(services: &Services, id: AppId, digest: Digest) -> Result<bool, HttpError> {
    Ok(services
        .views
        .read(move |view| apps::is_submitted_listing(view, id, digest))
        .await?)
}

async fn picture(services: &Services, image: Option<Digest>, what: &str) -> Result<Response, HttpError> {
    let not_found = || HttpError::not_found(what);
    let image = image.ok_or_else(not_found)?;
    not_removed(services, image).await?;
    let bytes = services.content.get(image).await?.ok_or_else(not_found)?;
    let kind = icon::check_screenshot(&bytes).map_err(|_| not_found())?;
    Ok(([(header::CONTENT_TYPE, kind.media_type())], bytes).into_response())
}
