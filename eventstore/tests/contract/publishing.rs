use std::path::Path;

use eventstore::transparency::{Fault, Published, verify_log, verify_tiles};
use eventstore::{EventStore, Key, Mode, Position};

use crate::fixture::Log;
use crate::restoring::{noted, older_copy, open};

fn published(store: &EventStore, folder: &Path) -> Published {
    let key = Key::from_hex(&"07".repeat(32)).unwrap();
    Published::open(store, folder, folder.join("high-water"), &key).unwrap()
}

pub(crate) async fn what_is_published_proves_the_log(log: &Log) {
    noted(&log.store, 0..300).await;
    let folder = tempfile::tempdir().unwrap();
    let published = published(&log.store, folder.path());
    let early = published.publish().await.unwrap();
    noted(&log.store, 300..310).await;
    let running = tokio::spawn(published.clone().run());
    let event = log.store.read(Position::new(305), 1).await.unwrap().remove(0);
    let proof = published.prove(&event).await.unwrap();
    assert_eq!(proof.verify(published.keys()), Ok(()));
    running.abort();
    let head = log.store.head().await.unwrap();
    let last = published.publish().await.unwrap();
    assert_eq!((last.checkpoint().size, last.checkpoint().root), (310, head.root));
    let verified = verify_tiles(published.folder(), published.keys(), Some(&early), |_, _| {}).unwrap();
    assert_eq!((verified.leaves, verified.since), (310, Some(300)));
    let verified = verify_log(&log.store, published.keys(), Some(&early), |_, _| {})
        .await
        .unwrap();
    assert_eq!((verified.leaves, verified.since), (310, Some(300)));
}

pub(crate) async fn any_process_may_publish_the_same_log(log: &Log) {
    noted(&log.store, 0..270).await;
    let other = EventStore::open(&log.place.url, Mode::ReadOnly).await.unwrap();
    let [here, there] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (here, there) = (published(&log.store, here.path()), published(&other, there.path()));
    // In steps of their own, they come to the same.
    let early = here.publish().await.unwrap();
    noted(&log.store, 270..280).await;
    let (one, two) = (here.publish().await.unwrap(), there.publish().await.unwrap());
    assert_eq!(one, two);
    let verified = verify_tiles(there.folder(), here.keys(), Some(&early), |_, _| {}).unwrap();
    assert_eq!(verified.since, Some(270));
}

pub(crate) async fn a_new_epoch_is_published_beside_the_old_one(log: &Log) {
    let folder = tempfile::tempdir().unwrap();
    let (copy, remembered) = older_copy(log).await;
    let store = log.reopen().await;
    let before = published(&store, folder.path());
    let old = before.publish().await.unwrap();
    store.close().await;
    let store = open(&copy, Mode::Append, &remembered).await.unwrap();
    let after = published(&store, folder.path());
    let new = after.publish().await.unwrap();
    assert_ne!(new.checkpoint().origin, old.checkpoint().origin);
    assert_eq!(before.folder().checkpoint().unwrap(), Some(old.to_string()));
    // The same key, and a name that says which epoch.
    let keys = [before.keys(), after.keys()].concat();
    let found = verify_log(&store, &keys, Some(&old), |_, _| {}).await;
    assert!(matches!(found, Err(Fault::Origin { .. })), "{found:?}");
    let found = verify_log(&store, &keys, Some(&new), |_, _| {}).await.unwrap();
    assert_eq!(found.since, Some(4));
}

pub(crate) async fn a_log_that_was_altered_is_found_out(log: &Log) {
    noted(&log.store, 0..20).await;
    let alter = "UPDATE event SET leaf = ";
    let sqlite = format!("DROP TRIGGER event_is_never_updated; {alter} x'7b7d' WHERE position = 7");
    let postgres = format!(
        "GRANT UPDATE ON event TO CURRENT_USER; ALTER TABLE event DISABLE TRIGGER ALL;
         {alter} '\\x7b7d' WHERE position = 7"
    );
    log.place.run(&sqlite, &postgres).await.unwrap();
    let found = verify_log(&log.store, &[], None, |_, _| {}).await;
    assert!(matches!(found, Err(Fault::AlteredLeaf { position: 7 })), "{found:?}");
}
