//! GraphQL over HTTP, by the letter of its specification (graphql.github.io/graphql-over-http).
//!
//! Queries by GET or POST, mutations by POST only, one request per body, `application/json` in, the media type the
//! client asks for out. No form posts: a page elsewhere can make a browser send those.

mod media;
mod protocol;
mod request;
mod socket;

use self::{
    media::Media,
    request::{BadRequest, Parameters},
};
use super::{App, HttpError, graphiql, peer::Peer};
use crate::auth::{Credentials, InvalidCredentials};
use axum::{
    Extension,
    body::Bytes,
    extract::{RawQuery, State, WebSocketUpgrade, rejection::BytesRejection, ws::rejection::WebSocketUpgradeRejection},
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};

/// What is spoken on web sockets.
const PROTOCOL: &str = "graphql-transport-ws";

pub async fn get(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if query.is_none() && media::prefers_html(&headers) {
        return graphiql::page(&headers, app.oidc.as_ref());
    }
    let parameters = Parameters::from_query(query.as_deref().unwrap_or_default());
    answer(&app, peer, &headers, &Method::GET, parameters).await
}

pub async fn post(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if !media::is_json(&headers) {
        let message = "send the request as application/json";
        return BadRequest::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
            .into_response(Media::Json);
    }
    let limit = app.services.limits.request_max_bytes;
    let parameters = match body {
        Ok(body) => Parameters::from_body(&body),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("the request has more than {limit} bytes, and {limit} are allowed");
            Err(BadRequest::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "REQUEST_TOO_LARGE",
                &message,
            ))
        }
        Err(rejection) => Err(BadRequest::new(
            StatusCode::BAD_REQUEST,
            "BAD_REQUEST",
            &rejection.body_text(),
        )),
    };
    answer(&app, peer, &headers, &Method::POST, parameters).await
}

async fn answer(
    app: &App,
    peer: Peer,
    headers: &HeaderMap,
    method: &Method,
    parameters: Result<Parameters, BadRequest>,
) -> Response {
    let peer = peer.behind(app.doors.proxies, headers);
    let Some(media) = Media::negotiate(headers) else {
        let message = "this answers application/graphql-response+json or application/json";
        return BadRequest::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message).into_response(Media::Json);
    };
    let parameters = match parameters.and_then(|p| p.within(app.services.limits.document_max_bytes)) {
        Ok(parameters) => parameters,
        Err(bad) => return bad.into_response(media),
    };
    let credentials = Credentials::of(headers);
    if let Err(invalid) = credentials.admitted(&app.services) {
        return refused(invalid, media);
    }
    match parameters.into_request(method, media, &app.documents) {
        Ok(request) => media.response(app.schema.execute(request.data(credentials).data(peer)).await),
        Err(bad) => bad.into_response(media),
    }
}

fn refused(invalid: InvalidCredentials, media: Media) -> Response {
    let mut response =
        BadRequest::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", &invalid.to_string()).into_response(media);
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    response
}

/// Subscriptions, and whatever else a client likes to ask on the same socket.
pub async fn subscribe(
    State(app): State<App>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, HttpError> {
    let bad = |message: String| HttpError::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message);
    let upgrade = upgrade.map_err(|rejection| bad(rejection.body_text()))?;
    let is_understood = upgrade.requested_protocols().any(|protocol| protocol == PROTOCOL);
    if !is_understood {
        return Err(bad(format!("ask for the protocol {PROTOCOL}")));
    }
    let message_max_bytes = app.services.limits.request_max_bytes;
    Ok(upgrade
        .protocols([PROTOCOL])
        .max_message_size(message_max_bytes)
        .max_frame_size(message_max_bytes)
        .on_upgrade(move |socket| socket::serve(app, Credentials::of_cookie(&headers), socket)))
}
