use std::{
    cell::RefCell,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rusqlite::Connection;
use tempfile::TempDir;

use super::{
    rebuild::{caught_up, dump, dump_of, eventful},
    world::*,
};
use crate::{
    ViewError, Views,
    rebuild::{self, Step},
};

/// The files of a folder, as a process that is killed now would leave them.
fn leave(folder: &Path) -> TempDir {
    let left = tempfile::tempdir().unwrap();
    for entry in folder.read_dir().unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), left.path().join(entry.file_name())).unwrap();
        }
    }
    left
}

#[tokio::test]
async fn a_build_that_is_killed_anywhere_leaves_views_to_go_on_with() {
    let world = eventful().await;
    let live = world.ask(dump).await;
    let path = world.folder.path().join("views.db");
    let killed = RefCell::new(vec![]);
    let finished = rebuild::build_in_steps(&path, &world.log, &world.blobs, 3, |step| {
        killed
            .borrow_mut()
            .push((format!("{step:?}"), leave(world.folder.path())));
    })
    .await
    .unwrap();
    killed
        .borrow_mut()
        .push(("ended".to_owned(), leave(world.folder.path())));
    assert!(world.views.adopt(&world.log, &world.blobs).await.unwrap());
    killed
        .borrow_mut()
        .push(("adopted".to_owned(), leave(world.folder.path())));
    assert_eq!(world.views.path(), finished);

    let killed = killed.into_inner();
    assert!(killed.len() as u64 > world.size / 3 + 4, "{}", killed.len());
    for (step, left) in &killed {
        let views = Views::open(&left.path().join("views.db"), &world.log).await.unwrap();
        // Only what was written last may be missing: nothing is begun anew.
        assert_eq!(views.position(), world.size, "{step}");
        caught_up(&world, &views).await;
        assert_eq!(dump_of(&views).await, live, "{step}");
        views.discard_older().unwrap();
        let names: Vec<_> = left
            .path()
            .read_dir()
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        let views = names.iter().filter(|name| name.to_string_lossy().ends_with(".db"));
        assert_eq!(views.count(), 2, "{step}: the log, and one view of {names:?}");
        assert!(!left.path().join("views.building").exists(), "{step}");
        let again = rebuild::build(&left.path().join("views.db"), &world.log, &world.blobs, |_| ()).await;
        assert!(again.is_ok(), "{step}: {again:?}");
    }
}

#[tokio::test]
async fn reads_go_on_and_never_back_while_views_are_exchanged_and_the_log_grows() {
    let mut world = eventful().await;
    let path = world.folder.path().join("views.db");
    let ended = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (views, ended) = (world.views.clone(), Arc::clone(&ended));
        async move {
            let (mut last, mut reads) = (0, 0);
            while !ended.load(Ordering::Relaxed) {
                let told = views.position();
                let read = views.read(|conn| Ok(crate::position(conn)?)).await.unwrap();
                assert!(read >= told && read >= last, "read {read} after {told} and {last}");
                (last, reads) = (read, reads + 1);
            }
            reads
        }
    });
    for round in 0..5_u128 {
        rebuild::build(&path, &world.log, &world.blobs, |_| ()).await.unwrap();
        // What happens between the build and the exchange is caught up with.
        world.stock(10 + round, "chart", "1.0.0").await;
        assert!(world.views.adopt(&world.log, &world.blobs).await.unwrap());
        world.stock(20 + round, "chart", "1.0.0").await;
    }
    let live = world.ask(dump).await;
    ended.store(true, Ordering::Relaxed);
    assert!(reader.await.unwrap() > 0);
    let fresh = world.views_in("fresh.db").await;
    caught_up(&world, &fresh).await;
    assert_eq!(dump_of(&fresh).await, live);
    assert!(
        !world.views.adopt(&world.log, &world.blobs).await.unwrap(),
        "nothing newer is there"
    );
}

#[tokio::test]
async fn whoever_waits_for_a_position_is_told_by_the_views_that_took_over() {
    let mut world = eventful().await;
    let path = world.folder.path().join("views.db");
    rebuild::build(&path, &world.log, &world.blobs, |_| ()).await.unwrap();
    let mut progress = world.views.progress();
    assert!(world.views.adopt(&world.log, &world.blobs).await.unwrap());
    let next = world.size + 1;
    world
        .account(9, domain::account::Event::AccountCreated { name: sealed(1) })
        .await;
    let seen = progress.wait_for(|progress| progress.size >= next).await.unwrap();
    assert!(seen.access.principal(account(9)).is_some());
}

#[tokio::test]
async fn one_build_at_a_time() {
    let world = eventful().await;
    let path = world.folder.path().join("views.db");
    let refused = RefCell::new(None);
    let (log, blobs) = (&world.log, &world.blobs);
    rebuild::build(&path, log, blobs, |step| {
        if step == Step::Built {
            let files = crate::generations::Generations::of(&path);
            *refused.borrow_mut() = files.lock().err();
        }
    })
    .await
    .unwrap();
    assert!(matches!(refused.into_inner(), Some(ViewError::BeingBuilt)));
}

#[tokio::test]
async fn a_comparison_tells_every_row_that_is_not_what_the_log_says() {
    let world = eventful().await;
    let file = world.views.path();
    let scratch = |n: u8| world.folder.path().join(format!("scratch-{n}.db"));
    let compare = async |n| {
        rebuild::compare(&file, &scratch(n), &world.log, &world.blobs, |_, _| ())
            .await
            .unwrap()
    };
    world.ask(|_| Ok(())).await;
    let agreed = compare(0).await;
    assert_eq!((agreed.events, agreed.tables), (world.size, vec![]));
    assert!(agreed.rows > world.size, "{}", agreed.rows);

    Connection::open(&file)
        .unwrap()
        .execute_batch(
            "UPDATE store_entry SET version = '6.6.6';
             DELETE FROM decision WHERE position = (SELECT min(position) FROM decision);
             INSERT INTO workspace VALUES (x'00', 'made-up', 1, NULL);
             DELETE FROM store_text WHERE rowid = (SELECT -min(published) FROM store_entry);",
        )
        .unwrap();
    let told = compare(1).await.tables;
    let tables: Vec<_> = told
        .iter()
        .map(|table| (table.table.as_str(), table.count > 0))
        .collect();
    assert_eq!(
        tables,
        [
            ("decision", true),
            ("store_entry", true),
            ("store_text", true),
            ("workspace", true)
        ]
    );
    let [decision, entry, words, workspace] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(decision.first[0].key.starts_with("position=") && decision.first[0].live.is_none());
    let both = (
        entry.first[0].live.as_ref().unwrap(),
        entry.first[0].rebuilt.as_ref().unwrap(),
    );
    assert!(
        both.0.contains("version=6.6.6") && !both.1.contains("version=6.6.6"),
        "{both:?}"
    );
    assert!(words.first[0].rebuilt.is_some() || words.first[0].live.is_some());
    assert_eq!(
        (workspace.first[0].key.as_str(), &workspace.first[0].rebuilt),
        ("id=00", &None)
    );
}
