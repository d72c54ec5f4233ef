//! Connections and answers.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{access, api, api::Answer, call::Call, faults::Failure, shared::Shared, status::Status};

/// Takes connections for as long as it is polled; dropping the future breaks all of them off.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(greet(stream, shared.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The certificate that a client showed, as its bytes.
type Certificate = Option<Arc<[u8]>>;

async fn greet(stream: TcpStream, shared: Arc<Shared>) {
    let Some(acceptor) = &shared.acceptor else {
        return converse(stream, None, shared).await;
    };
    // Whoever does not trust the certificate goes away.
    if let Ok(stream) = acceptor.accept(stream).await {
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certificate = shown.map(|certificate| Arc::from(certificate.as_ref()));
        converse(stream, certificate, shared).await;
    }
}

/// Answers the requests of one connection.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    certificate: Certificate,
    shared: Arc<Shared>,
) {
    let respond = move |request: Request| respond(shared.clone(), certificate.clone(), request);
    let router = Router::new().fallback(respond);
    let builder = Builder::new(TokioExecutor::new()).http1_only();
    // A client that goes away, or is sent away, is no fault of the server.
    let _ = builder
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
}

async fn respond(shared: Arc<Shared>, certificate: Certificate, request: Request) -> Response {
    let call = match Call::read(request).await {
        Ok(call) => call,
        Err(status) => return refusal(&status),
    };
    let (number, failure) = shared.begin(&call);
    let mut is_cut = false;
    match failure {
        Some(Failure::Answer(code)) => {
            shared.finish(number, code);
            return refusal(&Status::new(code, "InternalError", "this fault was asked for"));
        }
        Some(Failure::Hang) => shared.until_healed().await,
        Some(Failure::Slow(delay)) => tokio::time::sleep(delay).await,
        Some(Failure::Cut) => is_cut = true,
        None => {}
    }
    let answer = carry_out(&shared, certificate.as_deref(), &call, number);
    shared.finish(number, status_of(&answer));
    match answer {
        Ok(Answer::Json(code, value)) => whole(code, "application/json", value.to_string().into_bytes(), is_cut),
        Ok(Answer::Bytes(kind, bytes)) => whole(200, kind, bytes, is_cut),
        Ok(Answer::Watch(watch)) => ([(header::CONTENT_TYPE, "application/json")], watch.body(shared)).into_response(),
        Err(status) => refusal(&status),
    }
}

fn carry_out(shared: &Shared, certificate: Option<&[u8]>, call: &Call, number: usize) -> Result<Answer, Status> {
    let mut state = shared.state();
    let state = &mut *state;
    let caller = access::identify(&state.store, &state.credentials, certificate, call)?;
    state.requests[number].is_by(&caller);
    let answer = api::perform(&mut state.store, &mut state.credentials, &caller.acting, call);
    shared.changed.send_replace(state.store.version());
    answer
}

fn status_of(answer: &Result<Answer, Status>) -> u16 {
    match answer {
        Ok(Answer::Json(code, _)) => *code,
        Ok(_) => 200,
        Err(status) => status.code,
    }
}

fn refusal(status: &Status) -> Response {
    whole(
        status.code,
        "application/json",
        status.body().to_string().into_bytes(),
        false,
    )
}

/// An answer; if it is to be cut, it announces all bytes and breaks off after half of them.
fn whole(code: u16, kind: &'static str, bytes: Vec<u8>, is_cut: bool) -> Response {
    let length = bytes.len();
    let body = if is_cut {
        let half = Bytes::copy_from_slice(&bytes[..length / 2]);
        // The first half has to leave before the connection breaks off.
        let parts = stream::unfold(Some(half), |half| async {
            match half {
                Some(half) => Some((Ok(half), None)),
                None => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    Some((Err(io::Error::from(io::ErrorKind::BrokenPipe)), None))
                }
            }
        });
        Body::from_stream(parts)
    } else {
        Body::from(bytes)
    };
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
    ];
    (code, headers, body).into_response()
}
