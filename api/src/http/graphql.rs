//! GraphQL over HTTP, by the letter of its specification (graphql.github.io/graphql-over-http).
//!
//! Queries by GET or POST, mutations by POST only, one request per body, `application/json` in, the media type the
//! client asks for out. No form posts: a page elsewhere can make a browser send those.

mod media;
mod request;

use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::{
    body::Bytes,
    extract::{RawQuery, State, WebSocketUpgrade, rejection::BytesRejection},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::Value;

use self::{
    media::Media,
    request::{BadRequest, Parameters},
};
use super::{App, graphiql};
use crate::auth::{InvalidToken, Sender};

pub async fn get(State(app): State<App>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    if query.is_none() && media::prefers_html(&headers) {
        return graphiql::page().into_response();
    }
    let parameters = Parameters::from_query(query.as_deref().unwrap_or_default());
    answer(&app, &headers, &Method::GET, parameters).await
}

pub async fn post(State(app): State<App>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
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
    answer(&app, &headers, &Method::POST, parameters).await
}

async fn answer(
    app: &App,
    headers: &HeaderMap,
    method: &Method,
    parameters: Result<Parameters, BadRequest>,
) -> Response {
    let Some(media) = Media::negotiate(headers) else {
        let message = "this answers application/graphql-response+json or application/json";
        return BadRequest::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message).into_response(Media::Json);
    };
    let parameters = match parameters.and_then(|p| p.within(app.services.limits.document_max_bytes)) {
        Ok(parameters) => parameters,
        Err(bad) => return bad.into_response(media),
    };
    let sender = match Sender::of(headers, &app.services.views) {
        Ok(sender) => sender,
        Err(invalid) => return refused(invalid, media),
    };
    match parameters.into_request(method, media) {
        Ok(request) => media.response(&app.schema.execute(request.data(sender)).await),
        Err(bad) => bad.into_response(media),
    }
}

fn refused(invalid: InvalidToken, media: Media) -> Response {
    let mut response =
        BadRequest::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", &invalid.to_string()).into_response(media);
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    response
}

/// Subscriptions, by the graphql-transport-ws protocol. The token comes in `connection_init`, as
/// `{"authorization": "Bearer …"}`: browsers cannot set headers on a web socket.
pub async fn subscribe(State(app): State<App>, protocol: GraphQLProtocol, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols(["graphql-transport-ws"])
        .on_upgrade(move |socket| async move {
            let views = app.services.views.clone();
            let init = move |payload: Value| async move {
                let mut data = async_graphql::Data::default();
                data.insert(connected(&payload, &views)?);
                Ok(data)
            };
            GraphQLWebSocket::new(socket, app.schema.clone(), protocol)
                .on_connection_init(init)
                .serve()
                .await;
        })
        .into_response()
}

fn connected(payload: &Value, views: &projections::Views) -> Result<Sender, InvalidToken> {
    let header = payload.get("authorization").or_else(|| payload.get("Authorization"));
    let Some(header) = header.and_then(Value::as_str) else {
        return Ok(Sender::Anonymous);
    };
    let token = header.strip_prefix("Bearer ").ok_or(InvalidToken)?;
    Sender::holding(token, views)
}
