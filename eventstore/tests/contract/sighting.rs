use chrono::{DateTime, TimeDelta};
use eventstore::Sighting;

use crate::fixture::Log;

pub(crate) async fn what_was_seen_is_known_by_its_latest_sighting(log: &Log) {
    let at = |minute| DateTime::UNIX_EPOCH + TimeDelta::minutes(minute);
    let seen = |subject: &str, minute| Sighting {
        subject: subject.to_owned(),
        at: at(minute),
    };
    log.store
        .see(vec![seen("token-1", 1), seen("token-2", 2)])
        .await
        .unwrap();
    log.store.see(vec![seen("token-1", 3)]).await.unwrap();
    log.store.see(vec![seen("token-1", 2)]).await.unwrap();
    let subjects = ["token-1", "token-2", "token-3"].map(str::to_owned);
    let found = log.store.last_seen(&subjects).await.unwrap();
    let expected = [("token-1".to_owned(), at(3)), ("token-2".to_owned(), at(2))];
    assert_eq!(found, expected.into());
    assert_eq!(log.store.head().await.unwrap().size, 0, "it leaves no trace in the log");
}
