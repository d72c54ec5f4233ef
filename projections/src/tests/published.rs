use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use domain::content;
use rusqlite::Connection;

use super::{
    rebuild::{caught_up, dump, eventful},
    world::*,
};
use crate::{Views, published};

/// The one published file, among the blobs.
fn published_files(world: &World) -> Vec<PathBuf> {
    let root = world.folder.path().join("blobs/published/views");
    let entries = |path: &Path| {
        std::fs::read_dir(path)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
    };
    let mut files: Vec<_> = entries(&root)
        .flat_map(|folder| entries(&folder).collect::<Vec<_>>())
        .collect();
    files.sort();
    files
}

async fn publish(world: &World) -> Option<u64> {
    world.views.publish(&world.log, &world.blobs, 1).await.unwrap()
}

fn elsewhere(world: &World, name: &str) -> PathBuf {
    let folder = world.folder.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    folder.join("views.db")
}

async fn start(world: &World, path: &Path) -> (bool, Views) {
    let started = published::start_from(path, &world.log, &world.blobs).await.unwrap();
    (started, Views::open(path, &world.log).await.unwrap())
}

/// All that is in them, once they have caught up.
async fn contents(world: &World, views: &Views) -> std::collections::BTreeMap<String, Vec<String>> {
    caught_up(world, views).await;
    views.read(dump).await.unwrap()
}

#[tokio::test]
async fn a_process_without_views_starts_from_the_published_ones_and_ends_with_the_same() {
    let mut world = eventful().await;
    world.ask(|_| Ok(())).await;
    let (fresh, views) = start(&world, &elsewhere(&world, "before")).await;
    assert_eq!((fresh, views.position()), (false, 0));
    let size = publish(&world).await.unwrap();
    assert_eq!(size, world.size);
    assert_eq!(publish(&world).await, None, "once is enough");
    assert_eq!(published_files(&world).len(), 1);

    world.stock(5, "nginx", "1.0.0").await;
    let live = world.ask(dump).await;
    let path = elsewhere(&world, "after");
    let (fresh, views) = start(&world, &path).await;
    assert_eq!((fresh, views.position()), (true, size));
    assert_eq!(contents(&world, &views).await, live);
    drop(views);
    let (again, views) = start(&world, &path).await;
    assert!(!again, "what is there already is not fetched again");
    assert_eq!(views.position(), world.size);
}

#[tokio::test]
async fn a_damaged_a_foreign_and_a_newer_published_file_are_passed_over() {
    let world = eventful().await;
    world.ask(|_| Ok(())).await;
    let size = publish(&world).await.unwrap();
    let file = published_files(&world).remove(0);
    let good = std::fs::read(&file).unwrap();

    std::fs::write(&file, &good[..good.len() / 2]).unwrap();
    let path = elsewhere(&world, "damaged");
    let (fresh, views) = start(&world, &path).await;
    assert_eq!((fresh, views.position()), (false, 0));
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("building"))
        .collect();
    assert_eq!(left, Vec::<String>::new());

    // Whole, and under the name of a longer log.
    let longer = file.file_name().unwrap().to_str().unwrap().replacen('0', "9", 1);
    std::fs::write(file.with_file_name(longer), &good).unwrap();
    let (fresh, views) = start(&world, &elsewhere(&world, "newer")).await;
    assert_eq!((fresh, views.position()), (false, 0));

    // Whole, under the right name, of another log.
    let other = eventful().await;
    other.ask(|_| Ok(())).await;
    publish(&other).await.unwrap();
    let altered = published_files(&other).remove(0);
    let of = file.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let files = world.blobs.published_files("views");
    files.publish(&of, size - 1, &altered).await.unwrap();
    let (fresh, views) = start(&world, &elsewhere(&world, "foreign")).await;
    assert_eq!((fresh, views.position()), (false, 0));

    // The next best is taken.
    std::fs::write(&file, &good).unwrap();
    let (fresh, views) = start(&world, &elsewhere(&world, "good")).await;
    assert_eq!((fresh, views.position()), (true, size));
}

#[tokio::test]
async fn views_a_little_behind_catch_up_by_themselves() {
    let mut world = eventful().await;
    world.ask(|_| Ok(())).await;
    let path = elsewhere(&world, "behind");
    let (_, views) = start(&world, &path).await;
    caught_up(&world, &views).await;
    let reached = views.position();
    drop(views);
    world.stock(5, "nginx", "1.0.0").await;
    world.ask(|_| Ok(())).await;
    publish(&world).await.unwrap();
    let (fresh, views) = start(&world, &path).await;
    assert_eq!((fresh, views.position()), (false, reached));
}

#[tokio::test]
async fn old_published_files_are_swept_and_those_with_removed_content_at_once() {
    let mut world = eventful().await;
    let sweep = async |world: &World, abandoned| {
        world.ask(|_| Ok(())).await;
        world
            .views
            .sweep_published(&world.log, &world.blobs, abandoned)
            .await
            .unwrap()
    };
    for id in 5..8 {
        world.stock(id, &format!("app-{id}"), "1.0.0").await;
        world.ask(|_| Ok(())).await;
        publish(&world).await.unwrap();
    }
    let file = published_files(&world).pop().unwrap();
    let files = world.blobs.published_files("views");
    let put = files.list().await.unwrap()[0].put;
    let (long_ago, soon) = (put - TimeDelta::days(1), put + TimeDelta::days(1));
    files.publish("another-program", 7, &file).await.unwrap();
    assert_eq!(sweep(&world, long_ago).await, 1);
    assert_eq!(published_files(&world).len(), 3);
    assert_eq!(sweep(&world, soon).await, 1);
    assert_eq!(published_files(&world).len(), 2);

    let digest = world.listing("app-5", "app-5 for everybody").await;
    let stream = format!("content-{}", content::Content::key(digest));
    let removed = content::Event::ContentRemoved { digest, reason: None };
    world.record(REVIEWER, &stream, &removed).await;
    assert_eq!(sweep(&world, long_ago).await, 2);
    publish(&world).await.unwrap();
    assert_eq!(
        sweep(&world, long_ago).await,
        0,
        "what was published since does not hold it"
    );
    let conn = Connection::open(&published_files(&world)[0]).unwrap();
    let kept: i64 = conn
        .query_row("SELECT count(*) FROM listing WHERE display_name = 'app-5'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(kept, 0);
}
