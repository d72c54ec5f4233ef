//! The doors: which path leads where. What a request may cost is decided here, before anything reads it.

mod charts;
mod content;
mod error;
mod events;
mod exports;
mod extract;
mod graphiql;
mod graphql;
mod health;
mod log;
mod oidc;
mod origin;
pub mod peer;
mod serve;
mod uploads;

use std::{ops::Deref, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use tower_http::{set_header::SetResponseHeaderLayer, trace::TraceLayer};

pub use self::{error::HttpError, serve::serve};
use crate::{
    auth::oidc::Provider,
    config::DoorOptions,
    freshness::Freshness,
    graphql::{Documents, Schema},
    services::Services,
};

/// What a handler needs. Clones share it: each request takes a few.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    pub services: Services,
    pub schema: Schema,
    pub documents: Documents,
    pub doors: DoorOptions,
    /// The `OpenID` provider, if one was named.
    pub oidc: Option<Provider>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Every route of the server.
pub fn router(services: Services, schema: Schema, doors: DoorOptions, oidc: Option<Provider>) -> Router {
    let limits = Arc::clone(&services.limits);
    let in_time = |limit| middleware::from_fn(move |request, next| in_time(limit, request, next));
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
        .route("/auth/oidc/start", get(oidc::start))
        .route("/auth/oidc/callback", get(oidc::callback))
        .layer(in_time(limits.request_timeout));
    // What is signed and published is true for ever.
    let published = Router::new()
        .route("/log/checkpoint", get(log::checkpoint))
        .route("/log/vkey", get(log::vkey))
        .route("/log/tile/{*place}", get(log::tile))
        .layer(in_time(limits.request_timeout));
    // Uploads have limits of their own, which name themselves.
    let uploads = Router::new()
        .route("/uploads", post(uploads::post))
        .layer(in_time(limits.upload_timeout));
    // These take as long as whoever reads them; each bounds in its own way how long it waits.
    let endless = Router::new()
        .route("/graphql/ws", get(graphql::subscribe))
        .route("/events", get(events::get))
        .route("/exports/{file}", get(exports::get));
    let freshness = services.freshness.clone();
    let probes = probes(services.clone());
    let app = App(Arc::new(Parts {
        services,
        schema,
        documents: Documents::default(),
        doors,
        oidc,
    }));
    requests
        .merge(uploads)
        .merge(endless)
        .layer(middleware::from_fn_with_state(freshness, if_fresh))
        .merge(published)
        .merge(probes)
        .fallback(|| async { HttpError::not_found("page") })
        .method_not_allowed_fallback(|| async { HttpError::method_not_allowed() })
        // In one layer, the outermost first: each layer of its own puts every request into one more box.
        .layer((
            TraceLayer::new_for_http(),
            unless_set(
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'",
            ),
            unless_set(header::REFERRER_POLICY, "no-referrer"),
            unless_set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            unless_set(header::CACHE_CONTROL, "no-store"),
            middleware::from_fn_with_state(app.clone(), origin::guard),
        ))
        .with_state(app)
}

/// How the process is: all that one answers which only works.
pub fn probes<S: Clone + Send + Sync + 'static>(services: Services) -> Router<S> {
    Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .with_state(services)
}

/// What every answer says, unless a handler says otherwise: it is for whoever asked, and it is no page.
fn unless_set(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Lets nothing through to views that may be too old.
async fn if_fresh(State(freshness): State<Freshness>, request: Request, next: Next) -> Result<Response, HttpError> {
    freshness.check()?;
    Ok(next.run(request).await)
}

async fn in_time(limit: Duration, request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(limit, next.run(request)).await;
    answer.unwrap_or_else(|_| HttpError::timeout(limit).into_response())
}
