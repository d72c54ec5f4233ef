//! What all connections to a cluster work on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch::Sender;
use tokio_rustls::TlsAcceptor;

use super::{
    access::Credentials,
    call::Call,
    faults::{Failure, Fault},
    requests::Request,
    store::Store,
};

/// The state, and the news of it.
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) acceptor: Option<TlsAcceptor>,
    /// The version of the newest change.
    pub(super) changed: Sender<u64>,
    /// How many requests have arrived.
    pub(super) arrived: Sender<usize>,
    /// How often faults were taken away.
    pub(super) healed: Sender<u64>,
}

pub(super) struct State {
    pub(super) store: Store,
    pub(super) credentials: Credentials,
    pub(super) faults: Vec<Fault>,
    pub(super) requests: Vec<Request>,
}

impl Shared {
    pub(super) fn new(credentials: Credentials, acceptor: Option<TlsAcceptor>) -> Self {
        let state = State {
            store: Store::new(),
            credentials,
            faults: vec![],
            requests: vec![],
        };
        Self {
            state: Mutex::new(state),
            acceptor,
            changed: Sender::new(0),
            arrived: Sender::new(0),
            healed: Sender::new(0),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a request down, and says what is to go wrong with it.
    pub(super) fn begin(&self, call: &Call) -> (usize, Option<Failure>) {
        let mut state = self.state();
        let (method, path) = (call.method.as_str(), call.uri.path());
        let failure = state.faults.iter_mut().find_map(|fault| fault.hit(method, path));
        state.requests.push(Request::of(call));
        self.arrived.send_replace(state.requests.len());
        (state.requests.len() - 1, failure)
    }

    pub(super) fn finish(&self, number: usize, status: u16) {
        self.state().requests[number].status = Some(status);
    }

    pub(super) async fn until_healed(&self) {
        // The sender is here, so it cannot be gone.
        let _ = self.healed.subscribe().changed().await;
    }
}
