//! `GET /exports/decisions.csv`, `.jsonl`, `.cloudevents.json` and `.zip`: review decisions, as evidence.
//!
//! The request is recorded before the first byte goes out, and the answer is as of the size of the log that its header
//! names. It comes in chunks; if it cannot be finished, the connection breaks off instead of ending well.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse as _, Response},
};
use domain::export::Format;
use futures_util::StreamExt as _;
use std::sync::Arc;

use super::{
    App, HttpError,
    extract::{Path, Query},
};
use crate::{
    auth::Sender,
    commands::{Giver, RecordExport},
    exports::{self, Export, Parameters, Prepared},
};

/// How many events of the log an export looked at.
const SIZE: HeaderName = HeaderName::from_static("charthouse-log-size");
/// How many decisions it holds.
const COUNT: HeaderName = HeaderName::from_static("charthouse-decisions");

pub async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    Path(file): Path<String>,
    Query(asked): Query<Parameters>,
) -> Result<Response, HttpError> {
    let format = format_of(&file).ok_or_else(|| HttpError::not_found("export"))?;
    let services = &app.services;
    let Sender::Account(viewer, key) = Sender::of(&headers, services)? else {
        return Err(HttpError::unauthenticated());
    };
    let selection = asked.try_into()?;
    let place = Arc::clone(&services.exports)
        .try_acquire_owned()
        .map_err(|_| HttpError::busy("exports", services.limits.exports_max))?;

    let source = services.evidence();
    let prepared = source.prepare(format, selection).await?;
    let giver = Giver::Account {
        account: viewer.account,
        key,
        command: None,
    };
    let outcome = services.commands.run(giver, &RecordExport(prepared.clone())).await?;
    let headers = described(&prepared);
    let export = Export {
        prepared,
        position: outcome.position.get(),
    };
    let bytes = source.stream(export).inspect(move |_| {
        // Held as long as somebody takes the export.
        let _ = &place;
    });
    Ok((headers, Body::from_stream(bytes)).into_response())
}

fn format_of(file: &str) -> Option<Format> {
    let all = [Format::Csv, Format::Jsonl, Format::Cloudevents, Format::Zip];
    let extension = file.strip_prefix("decisions.")?;
    all.into_iter().find(|format| exports::extension(*format) == extension)
}

fn described(export: &Prepared) -> [(HeaderName, String); 4] {
    let extension = exports::extension(export.format);
    let file = format!("attachment; filename=\"decisions-{}.{extension}\"", export.size);
    [
        (header::CONTENT_TYPE, exports::media_type(export.format).to_owned()),
        (header::CONTENT_DISPOSITION, file),
        (SIZE, export.size.to_string()),
        (COUNT, export.count.to_string()),
    ]
}
