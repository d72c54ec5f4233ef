use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use uuid::Uuid;

use crate::transparency::disk::{Disk, RealDisk};
use crate::transparency::{
    Checkpoint, Fault, Prover, PublishError, Published, SignedCheckpoint, TileFolder, verify_log, verify_tiles,
};
use crate::{Append, Context, EventStore, HighWater, Key, Mode, NewEvent, Position, Revision, Write};

/// A log, and a place to publish it.
struct World {
    store: EventStore,
    place: tempfile::TempDir,
}

impl World {
    async fn with(events: u64) -> Self {
        let place = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", place.path().join("log.db").display());
        let store = EventStore::open(&url, Mode::Append).await.unwrap();
        let world = Self { store, place };
        world.append(0, events).await;
        world
    }

    async fn append(&self, after: u64, events: u64) {
        for done in (0..events).step_by(100) {
            self.append_at_once(after + done, (events - done).min(100)).await;
        }
    }

    async fn append_at_once(&self, after: u64, events: u64) {
        let event = |number: u64| NewEvent {
            id: Uuid::from_u64_pair(1, after + number),
            name: "Noted".to_owned(),
            schema: 1,
            data: json!({ "is": number.to_string() }),
        };
        let write = Write {
            stream: "app-1".parse().unwrap(),
            expected: Revision::new(after),
            events: (0..events).map(event).collect(),
        };
        let context = Context {
            actor: "account-1".to_owned(),
            command: None,
            correlation_id: Uuid::from_u128(1),
            causation_id: None,
        };
        let append = Append {
            writes: vec![write],
            guards: vec![],
            context,
        };
        self.store.append(append).await.unwrap();
    }

    fn high_water(&self) -> PathBuf {
        self.place.path().join("high-water")
    }

    fn open_in(&self, folder: &Path, disk: Arc<dyn Disk>, key: &str) -> Result<Published, PublishError> {
        let key = Key::from_hex(&key.repeat(32)).unwrap();
        Published::open_on(disk, &self.store, folder, self.high_water(), &key)
    }

    fn open(&self) -> Published {
        self.open_in(&self.folder(), Arc::new(RealDisk), "07").unwrap()
    }

    fn folder(&self) -> PathBuf {
        self.place.path().join("log")
    }
}

fn verified(published: &Published) -> u64 {
    let verified = verify_tiles(published.folder(), published.keys(), None, |_, _| {}).unwrap();
    assert_eq!(verified.leaves, verified.size);
    verified.size
}

/// A disk that fails from a certain step on: before the step, in the middle of it, or after it.
struct FailingDisk {
    steps_left: AtomicUsize,
    how: usize,
}

impl FailingDisk {
    fn step(&self, path: &Path, bytes: &[u8], act: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let left = self
            .steps_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match left {
            Ok(left) if left > 1 => return act(),
            Ok(_) if self.how == 1 => {
                std::fs::create_dir_all(path.parent().unwrap())?;
                std::fs::write(path.with_extension("new"), &bytes[..bytes.len() / 2])?;
            }
            Ok(_) if self.how == 2 => act()?,
            _ => {}
        }
        Err(io::Error::other("the machine stopped"))
    }
}

impl Disk for FailingDisk {
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step(path, bytes, || RealDisk.write(path, bytes))
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.step(path, &[], || RealDisk.remove_folder(path))
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_crash_between_any_two_steps_leaves_the_last_checkpoint_valid() {
    let world = World::with(250).await;
    world.open().publish().await.unwrap();
    world.append(250, 300).await;
    let mut outcomes = std::collections::BTreeSet::new();
    for how in 0..3 {
        for steps in 1.. {
            let folder = world.place.path().join(format!("log-{how}-{steps}"));
            copy_folder(&world.folder(), &folder);
            let disk = Arc::new(FailingDisk {
                steps_left: AtomicUsize::new(steps),
                how,
            });
            let stopped = world.open_in(&folder, disk, "07").unwrap().publish().await;
            let after = world.open_in(&folder, Arc::new(RealDisk), "07").unwrap();
            let size = verified(&after);
            outcomes.insert((stopped.is_ok(), size));
            let remembered = HighWater::load(&world.high_water()).unwrap().unwrap();
            assert!(remembered.size >= size, "{how} {steps}");
            after.publish().await.unwrap();
            assert_eq!(verified(&after), 550);
            if stopped.is_ok() {
                break;
            }
        }
    }
    // Stopped before, stopped right after the checkpoint was written, and not stopped.
    assert_eq!(
        outcomes.into_iter().collect::<Vec<_>>(),
        [(false, 250), (false, 550), (true, 550)]
    );
}

#[tokio::test]
async fn partial_tiles_go_when_the_full_ones_are_published() {
    let world = World::with(100).await;
    let published = world.open();
    published.publish().await.unwrap();
    let partial = published.folder().path().join("tile/0/000.p");
    assert!(partial.exists());
    world.append(100, 200).await;
    published.publish().await.unwrap();
    assert!(!partial.exists());
    assert_eq!(verified(&published), 300);
}

#[tokio::test]
async fn every_event_is_proved_and_every_size_is_consistent() {
    let world = World::with(300).await;
    let published = world.open();
    let not_yet = published.consistency(0, 300).await;
    assert!(matches!(not_yet, Err(PublishError::Nothing)));
    published.publish().await.unwrap();
    for position in [0, 255, 256, 299] {
        let event = world.store.read(Position::new(position), 1).await.unwrap().remove(0);
        let file = published.prove(&event).await.unwrap();
        assert_eq!((file.index, file.verify(published.keys())), (position, Ok(())));
    }
    let proof = published.consistency(10, 260).await.unwrap();
    let root = |size| Prover::within(published.folder().clone(), size, 300).root().unwrap();
    crate::transparency::proof::verify_consistency(10, &root(10), 260, &root(260), &proof).unwrap();
    let beyond = published.consistency(10, 301).await;
    assert!(matches!(beyond, Err(PublishError::NotYet { position: 300 })));
}

#[tokio::test]
async fn damaged_tiles_prove_nothing_and_are_written_again() {
    let world = World::with(300).await;
    let published = world.open();
    published.publish().await.unwrap();
    let path = published.folder().path().join("tile/0/000");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let event = world.store.read(Position::START, 1).await.unwrap().remove(0);
    assert!(matches!(published.prove(&event).await, Err(PublishError::Damaged(_))));
    let found = verify_tiles(published.folder(), published.keys(), None, |_, _| {});
    assert!(matches!(found, Err(Fault::AlteredTile { .. })), "{found:?}");
    world.append(300, 300).await;
    std::fs::remove_file(published.folder().path().join("tile/1/000.p/1")).unwrap();
    published.publish().await.unwrap();
    assert_eq!(verified(&published), 600);
}

#[tokio::test]
async fn nothing_is_signed_that_does_not_go_on_from_what_was_signed() {
    let world = World::with(10).await;
    let published = world.open();
    published.publish().await.unwrap();
    for (size, expected) in [(11, "Truncated"), (10, "Rewritten"), (5, "Rewritten")] {
        let lie = Checkpoint {
            origin: world.store.identity().origin(),
            size,
            root: [7; 32],
        };
        let lie = SignedCheckpoint::sign(lie, published.signer()).to_string();
        std::fs::write(published.folder().checkpoint_path(), &lie).unwrap();
        let refused = world.open().publish().await.unwrap_err();
        assert!(format!("{refused:?}").starts_with(expected), "{refused:?}");
        assert_eq!(published.folder().checkpoint().unwrap(), Some(lie));
    }
}

#[tokio::test]
async fn a_new_key_is_published_beside_the_old_one() {
    let world = World::with(10).await;
    let old = world.open().publish().await.unwrap();
    let published = world.open_in(&world.folder(), Arc::new(RealDisk), "08").unwrap();
    let new = published.publish().await.unwrap();
    assert_eq!(
        (old.checkpoint(), old.verify(published.keys())),
        (new.checkpoint(), Ok(()))
    );
    assert_eq!(new.verify(&published.keys()[..1]), Ok(()));
    assert!(old.verify(&published.keys()[..1]).is_err());
    assert_eq!(published.folder().vkeys().unwrap().lines().count(), 2);
    // A checkpoint of neither key is not gone on from.
    let stranger = crate::transparency::Signer::new(&old.checkpoint().origin, &[9; 32]).unwrap();
    let foreign = SignedCheckpoint::sign(old.checkpoint().clone(), &stranger).to_string();
    std::fs::write(published.folder().checkpoint_path(), foreign).unwrap();
    let refused = world.open_in(&world.folder(), Arc::new(RealDisk), "08").err();
    assert!(matches!(refused, Some(PublishError::ForeignCheckpoint { .. })));
}

#[tokio::test]
async fn an_untouched_log_is_verified_since_any_checkpoint() {
    let world = World::with(10).await;
    let published = world.open();
    let early = published.publish().await.unwrap();
    world.append(10, 3_000).await;
    let verified = verify_log(&world.store, published.keys(), Some(&early), |_, _| {})
        .await
        .unwrap();
    assert_eq!((verified.size, verified.since), (3_010, Some(10)));
    let later = published.publish().await.unwrap();
    let verified = verify_tiles(published.folder(), published.keys(), Some(&early), |_, _| {}).unwrap();
    assert_eq!((verified.size, verified.since), (3_010, Some(10)));
    std::fs::write(published.folder().checkpoint_path(), early.to_string()).unwrap();
    let stale = verify_tiles(published.folder(), published.keys(), Some(&later), |_, _| {});
    assert!(
        matches!(
            stale,
            Err(Fault::Stale {
                remembered: 3_010,
                found: 10
            })
        ),
        "{stale:?}"
    );
    let empty = TileFolder::at(world.place.path().join("nothing"));
    assert!(matches!(
        verify_tiles(&empty, &[], None, |_, _| {}),
        Err(Fault::NoCheckpoint { .. })
    ));
}
