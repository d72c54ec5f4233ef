//! The doors: which path leads where. What a request may cost is decided here, before anything reads it.

mod charts;
mod content;
mod error;
mod extract;
mod graphiql;
mod graphql;
mod health;
mod uploads;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use tower_http::{set_header::SetResponseHeaderLayer, timeout::TimeoutLayer, trace::TraceLayer};

pub use self::error::HttpError;
use crate::{graphql::Schema, services::Services};

/// What a handler needs.
#[derive(Clone)]
pub struct App {
    pub services: Services,
    pub schema: Schema,
}

/// Every route of the server.
pub fn router(services: Services, schema: Schema) -> Router {
    let limits = &services.limits;
    let in_time = |limit| TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limit);
    let requests = Router::new()
        .route("/", get(|| async { Redirect::temporary("/graphql") }))
        .route("/graphql", get(graphql::get).post(graphql::post))
        .layer(DefaultBodyLimit::max(limits.request_max_bytes))
        .route("/apps/{app}/icon", get(content::icon))
        .route("/apps/{app}/screenshots/{number}", get(content::screenshot))
        .route("/apps/{app}/versions/{version}/package", get(content::package))
        .route("/charts/store/index.yaml", get(charts::store_index))
        .route("/charts/store/{archive}", get(charts::store_archive))
        .route(
            "/charts/workspaces/{workspace}/index.yaml",
            get(charts::workspace_index),
        )
        .route(
            "/charts/workspaces/{workspace}/{archive}",
            get(charts::workspace_archive),
        )
        .layer(in_time(limits.request_timeout));
    // Uploads have limits of their own, which name themselves.
    let uploads = Router::new()
        .route("/uploads", post(uploads::post))
        .layer(in_time(limits.upload_timeout));
    let endless = Router::new().route("/graphql/ws", get(graphql::subscribe));
    let probes = Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready));

    requests
        .merge(uploads)
        .merge(endless)
        .merge(probes)
        .fallback(|| async { HttpError::not_found("page").into_response() })
        .layer(middleware::map_response(no_store))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(TraceLayer::new_for_http())
        .with_state(App { services, schema })
}

/// Answers are for whoever asked, unless a handler says otherwise.
async fn no_store(mut response: Response) -> Response {
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
