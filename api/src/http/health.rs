//! `/livez`: the process runs. `/readyz`: it can answer.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use crate::services::Services;

pub async fn live() -> &'static str {
    "ok\n"
}

/// 200 if the views are known to show the whole log, 503 otherwise; the body says how far each is, in numbers of events.
pub async fn ready(State(services): State<Services>) -> Response {
    let views = services.views.position();
    let Ok(head) = services.log.head().await else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "ready": false, "views": views })),
        )
            .into_response();
    };
    let ready = services.is_following() && services.freshness.check().is_ok();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(json!({ "ready": ready, "log": head.size, "views": views })),
    )
        .into_response()
}
