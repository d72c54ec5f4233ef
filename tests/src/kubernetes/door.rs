//! Whether connections are taken.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};

use super::{serve::serve, shared::Shared};

/// The port of a cluster. It is given back when this is dropped.
pub(super) struct Door {
    address: SocketAddr,
    shared: Arc<Shared>,
    state: Mutex<State>,
}

enum State {
    Open(JoinHandle<()>),
    /// The port is kept, and whoever connects is refused.
    Closed(TcpSocket),
    /// Somebody is opening or closing it.
    Moving,
}

impl Door {
    /// Takes connections on a free port of this machine.
    pub(super) async fn open(shared: Arc<Shared>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there are free ports");
        Self {
            address: listener.local_addr().expect("it listens"),
            state: Mutex::new(answering(listener, &shared)),
            shared,
        }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks all connections off and refuses new ones. Fails if somebody else takes the port at this very moment.
    pub(super) async fn close(&self) {
        let state = match self.exchange(State::Moving) {
            State::Open(answering) => {
                answering.abort();
                let _ = answering.await;
                State::Closed(self.bound())
            }
            other => other,
        };
        self.exchange(state);
    }

    /// Bound and not listening: so the port stays taken, and connections are refused.
    fn bound(&self) -> TcpSocket {
        let socket = TcpSocket::new_v4().expect("there are sockets");
        socket.set_reuseaddr(true).expect("a socket can be told so");
        socket.bind(self.address).expect("the port is still free");
        socket
    }

    pub(super) fn reopen(&self) {
        let state = match self.exchange(State::Moving) {
            State::Closed(socket) => {
                let listener = socket.listen(1024).expect("the port is its own");
                answering(listener, &self.shared)
            }
            other => other,
        };
        self.exchange(state);
    }

    fn exchange(&self, state: State) -> State {
        let mut current = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, state)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let State::Open(answering) = self.exchange(State::Moving) {
            answering.abort();
        }
    }
}

fn answering(listener: TcpListener, shared: &Arc<Shared>) -> State {
    let shared = shared.clone();
    State::Open(tokio::spawn(async move {
        let never = serve(listener, shared).await;
        match never {}
    }))
}
