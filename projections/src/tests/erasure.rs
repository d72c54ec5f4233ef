use domain::{
    account::{Event, Scope},
    app, content,
    digest::Digest,
};

use super::{rebuild, world::*};
use crate::{PageRequest, accounts, content as views, storefront};

fn removed(digest: Digest) -> content::Event {
    content::Event::ContentRemoved {
        digest,
        reason: Some(sealed(1)),
    }
}

async fn remove(world: &mut World, digest: Digest) -> u64 {
    let stream = format!("content-{}", content::Content::key(digest));
    world.record(REVIEWER, &stream, &removed(digest)).await
}

/// What a process that is gone has left in the files of the views.
fn is_in_a_file(world: &World, words: &str) -> bool {
    ["views.db", "views.db-wal"].iter().any(|file| {
        let bytes = std::fs::read(world.folder.path().join(file)).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    })
}

#[tokio::test]
async fn whoever_was_erased_is_known_by_id_and_can_do_nothing() {
    let mut world = World::new().await;
    world.account(1, Event::AccountCreated { name: sealed(1) }).await;
    let granted = Event::RoleGranted {
        role: "auditor".parse().unwrap(),
        scope: Scope::Platform {},
    };
    world.account(1, granted).await;
    world.ask(|_| Ok(())).await;
    assert!(world.views.access().principal(account(1)).is_some());
    let subject = format!("account-{}", account(1));
    let at = world.account(1, Event::SubjectErased { subject }).await;
    let found = world.ask(|view| accounts::account(view, account(1))).await.unwrap();
    assert_eq!(found.erased, Some(at));
    assert_eq!(world.ask(accounts::erased).await, [account(1)]);
    assert!(world.views.access().principal(account(1)).is_none());
}

#[tokio::test]
async fn content_that_was_removed_is_in_no_row_no_index_and_no_page() {
    let mut world = World::new().await;
    let listing = world.listing("Redis", "a quagmirish store of keys").await;
    world.upload_app(1, "redis").await;
    let package = world.upload_version(1, "1.0.0").await;
    world.app(AUTHOR, 1, app::Event::ListingEdited { listing }).await;
    world.publish(1, "1.0.0", &package, listing).await;
    let page = || PageRequest::new(10, None);
    let find = move |view: &rusqlite::Connection| {
        storefront::list(
            view,
            &with_words("quagmirish"),
            storefront::Sort::NewestPublication,
            &page(),
        )
    };
    assert_eq!(world.ask(find).await.items.len(), 1);
    assert!(is_in_a_file(&world, "quagmirish"), "it can be found at all");

    let position = remove(&mut world, listing).await;
    assert_eq!(world.ask(find).await.items.len(), 0);
    assert!(world.ask(move |view| views::listing(view, &listing)).await.is_none());
    let removal = world.ask(move |view| views::removal(view, &listing)).await.unwrap();
    assert_eq!((removal.mark.position, removal.reason), (position, Some(sealed(1))));
    assert_eq!(world.ask(views::removed).await, [listing]);
    assert!(!is_in_a_file(&world, "quagmirish"));
}

#[tokio::test]
async fn a_removed_archive_is_marked_in_the_index_and_its_chart_is_found_by_it() {
    let mut world = World::new().await;
    let listing = world.upload_app(1, "redis").await;
    let package = world.upload_version(1, "1.0.0").await;
    world.publish(1, "1.0.0", &package, listing).await;
    let digest = package.digest;
    assert_eq!(
        world.ask(move |view| views::charts_of_package(view, &digest)).await,
        [package.chart]
    );
    assert!(!world.ask(storefront::index).await[0].removed);
    remove(&mut world, digest).await;
    assert!(world.ask(storefront::index).await[0].removed);
}

#[tokio::test]
async fn a_view_built_after_a_removal_is_the_view_that_saw_it() {
    let mut world = World::new().await;
    world.one_by_one = true;
    world.stock(1, "kafka", "1.0.0").await;
    let listing = world.listing("Redis", "fast").await;
    world.upload_app(2, "redis").await;
    let package = world.upload_version(2, "1.0.0").await;
    world.publish(2, "1.0.0", &package, listing).await;
    remove(&mut world, listing).await;
    remove(&mut world, package.chart).await;
    let live = world.ask(rebuild::dump).await;
    // Once with the blobs still there, and once after they were taken away.
    for file in ["before.db", "after.db"] {
        let again = world.views_in(file).await;
        rebuild::caught_up(&world, &again).await;
        assert_eq!(again.read(rebuild::dump).await.unwrap(), live, "{file}");
        for digest in [listing, package.chart] {
            let digest = eventstore::Digest::from_bytes(*digest.as_bytes());
            world.blobs.remove(&digest).await.unwrap();
        }
    }
}
