//! Connections: accepted, served, and closed in time.

use std::{future::Future, net::IpAddr, pin::pin, time::Duration};

use axum::{Router, http, serve::Listener};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tower::ServiceExt as _;

use super::peer::Peer;

/// How long a client may take over the head of a request, or do nothing between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers requests until `stop` completes; then takes no more, and returns when those under way are answered. Web
/// sockets are not waited for. Dropping the future ends all connections.
pub async fn serve(mut listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let (stopping, _) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            (stream, address) = Listener::accept(&mut listener) => {
                connections.spawn(answer(stream, address.ip(), router.clone(), HEAD_TIMEOUT, stopping.subscribe()));
            }
            Some(_) = connections.join_next() => {}
            () = &mut stop => break,
        }
    }
    drop(listener);
    stopping.send_replace(true);
    while connections.join_next().await.is_some() {}
}

/// Answers the requests of one connection.
async fn answer(
    stream: TcpStream,
    peer: IpAddr,
    router: Router,
    head_timeout: Duration,
    stopping: watch::Receiver<bool>,
) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout);
    let service = TowerToHyperService::new(router.map_request(from(peer)));
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = asked_to_stop(stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(
            error = error.as_ref() as &dyn std::error::Error,
            "a connection broke off"
        );
    }
}

/// Says in each request who sent it.
fn from<B>(peer: IpAddr) -> impl Fn(http::Request<B>) -> http::Request<B> + Clone {
    move |mut request| {
        request.extensions_mut().insert(Peer(peer));
        request
    }
}

async fn asked_to_stop(mut stopping: watch::Receiver<bool>) {
    // A server that is gone asks for the same.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        sync::oneshot,
    };

    use super::*;

    #[tokio::test]
    async fn half_a_head_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, from) = listener.accept().await.unwrap();
        let (_running, stopping) = watch::channel(false);
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        answer(stream, from.ip(), Router::new(), Duration::from_millis(1), stopping).await;
        let mut rest = vec![];
        client.read_to_end(&mut rest).await.unwrap();
        assert!(!rest.starts_with(b"HTTP/1.1 2"));
    }

    #[tokio::test]
    async fn what_is_under_way_is_answered_before_it_stops() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        // The request itself asks the server to stop.
        let stop = std::sync::Mutex::new(Some(stop));
        let stop = std::sync::Arc::new(stop);
        let page = get(move || async move {
            stop.lock().unwrap().take().unwrap().send(()).unwrap();
            tokio::task::yield_now().await;
            "done"
        });
        let server = tokio::spawn(serve(listener, Router::new().route("/", page), async {
            stopped.await.unwrap();
        }));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("done"), "{answer}");
        server.await.unwrap();
    }
}
