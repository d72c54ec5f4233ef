//! The published log: C2SP `tlog-tiles` under `/log/`. Hashes and checkpoints are for everybody, leaves for auditors.

use std::io::{self, Write as _};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse as _, Response},
};
use domain::{access::Place, permission::Permission};
use eventstore::transparency::{PublishError, Tile, TileFolder, TileKind};
use flate2::{Compression, write::GzEncoder};

use super::{App, HttpError, content::signed_in, extract::Path};
use crate::services::Services;

/// A checkpoint is replaced by the next one, so caches may keep it for a moment only.
const MOMENT: &str = "public, max-age=2";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// In the reader's own cache only.
const FOR_EVER_PRIVATELY: &str = "private, max-age=31536000, immutable";
const TEXT: &str = "text/plain; charset=utf-8";

pub async fn checkpoint(State(app): State<App>) -> Result<Response, HttpError> {
    let checkpoint = app.services.transparency.checkpoint().map_err(|error| match error {
        PublishError::Nothing => HttpError::not_found("checkpoint"),
        error => HttpError::internal(&error),
    })?;
    Ok((text(), checkpoint.to_string()).into_response())
}

/// The keys that signed this epoch of the log, one a line, the one that signs now first.
pub async fn vkey(State(app): State<App>) -> Response {
    let keys = app.services.transparency.keys().iter();
    (text(), keys.map(|key| format!("{key}\n")).collect::<String>()).into_response()
}

fn text() -> [(HeaderName, &'static str); 2] {
    [(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, MOMENT)]
}

pub async fn tile(
    State(app): State<App>,
    headers: HeaderMap,
    Path(place): Path<String>,
) -> Result<Response, HttpError> {
    let not_found = || HttpError::not_found("tile");
    let tile: Tile = format!("tile/{place}").parse().map_err(|_| not_found())?;
    let is_leaves = tile.kind == TileKind::Entries;
    if is_leaves {
        let viewer = signed_in(&app.services, &headers)?;
        let allowed = viewer.authorize(Permission::AuditView, Place::Platform);
        allowed.map_err(|denied| HttpError::forbidden(&denied))?;
    }
    if !is_signed(&app.services, tile) {
        return Err(not_found());
    }
    let folder = app.services.transparency.folder().clone();
    let is_packed = is_leaves && accepts_gzip(&headers);
    let read = tokio::task::spawn_blocking(move || read(&folder, tile, is_packed)).await;
    let bytes = match read {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => return Err(not_found()),
        Ok(Err(error)) => return Err(HttpError::internal(&error)),
        Err(error) => return Err(HttpError::internal(&error)),
    };
    let keep = if is_leaves { FOR_EVER_PRIVATELY } else { FOR_EVER };
    let mut response = (
        [
            (header::CONTENT_TYPE, "application/octet-stream"),
            (header::CACHE_CONTROL, keep),
            (header::VARY, "Accept-Encoding, Authorization"),
        ],
        bytes,
    )
        .into_response();
    if is_packed {
        let gzip = header::HeaderValue::from_static("gzip");
        response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
    }
    Ok(response)
}

/// Only what the last checkpoint covers is settled, and may be cached for ever.
fn is_signed(services: &Services, tile: Tile) -> bool {
    let Ok(signed) = services.transparency.checkpoint() else {
        return false;
    };
    let covered = Tile::of_tree(tile.kind, tile.index, signed.checkpoint().size);
    covered.is_some_and(|covered| covered.width >= tile.width)
}

fn read(folder: &TileFolder, tile: Tile, is_packed: bool) -> io::Result<Vec<u8>> {
    let bytes = std::fs::read(folder.tile_path(tile))?;
    if !is_packed {
        return Ok(bytes);
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&bytes)?;
    packed.finish()
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && quality.trim() != "q=0"
    })
}
