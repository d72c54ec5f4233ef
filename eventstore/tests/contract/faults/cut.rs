use eventstore::{AppendError, EventStore, Mode};
use futures_util::future::join_all;

use super::proxy::{Network, Proxy};
use super::{acknowledged, audit, pair};
use crate::fixture::Place;
use crate::postgres_server::Server;

struct Cut {
    place: Place,
    proxy: Proxy,
    store: EventStore,
}

impl Cut {
    async fn new() -> Self {
        let place = Place::postgres().await;
        let server = Server::shared().port();
        let proxy = Proxy::before(server).await;
        let store = EventStore::open(&proxy.url(&place.url, server), Mode::Append)
            .await
            .unwrap();
        Self { place, proxy, store }
    }

    /// Twenty appends at once, the first of which meets `network`; all of them must be acknowledged.
    async fn twenty_appends_succeed(&self, network: Network) {
        self.proxy.set(network);
        let appends = (0..20).map(|n| self.store.append(pair(&format!("w-{n}"), 0)));
        let known: Vec<_> = join_all(appends)
            .await
            .into_iter()
            .map(|outcome| acknowledged(&outcome.unwrap()))
            .collect();
        assert_eq!(self.proxy.get(), Network::Works, "the connection was not cut");
        audit(&self.place.url, &known).await;
        assert_eq!(self.store.head().await.unwrap().size, 40, "nothing is there twice");
    }
}

#[tokio::test]
async fn a_commit_that_never_arrived_is_done_again() {
    Cut::new().await.twenty_appends_succeed(Network::LosesTheCommit).await;
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_found_and_acknowledged() {
    Cut::new().await.twenty_appends_succeed(Network::LosesTheAnswer).await;
}

#[tokio::test]
async fn a_commit_nobody_can_ask_about_is_unknown_until_the_command_is_given_again() {
    let cut = Cut::new().await;
    cut.proxy.set(Network::LosesTheAnswerAndBreaks);
    let command = pair("w", 0);
    let unknown = cut.store.append(command.clone()).await;
    assert!(matches!(unknown, Err(AppendError::OutcomeUnknown(_))));
    let refused = cut.store.append(pair("v", 0)).await.unwrap_err();
    assert!(matches!(refused, AppendError::Unavailable(_)), "{refused:?}");

    cut.proxy.set(Network::Works);
    let again = cut.store.append(command).await;
    assert!(matches!(again, Err(AppendError::AlreadyDone(answer)) if answer.events == 2));
    audit(&cut.place.url, &[]).await;
    assert_eq!(cut.store.head().await.unwrap().size, 2);
}
