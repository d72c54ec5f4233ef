use super::fixtures::*;
use crate::{
    app::{App, Authority, Event, Status},
    spec::{Given, given},
};

fn status(app: Given<App>) -> Status {
    app.state().unwrap().status()
}

/// An app with these versions in the store.
fn in_store(numbers: &[&str]) -> App {
    let stored = numbers.iter().zip(1..).fold(given_app(), |app, (version, n)| {
        let version = number(version);
        app.and(
            ada(),
            [uploaded(version.clone(), n), submitted_as(version.clone(), seen(n))],
        )
        .and(
            grace(),
            [
                review_started(version.clone(), n.into()),
                approved_as(version.clone(), seen(n)),
            ],
        )
        .and(ada(), [published_as(version, seen(n))])
    });
    stored.state().unwrap()
}

fn given_app() -> Given<App> {
    given([app_uploaded()])
}

#[test]
fn an_app_is_in_development_until_a_version_is_published() {
    for state in [draft(), submitted(), in_review(), approved(), rejected()] {
        assert_eq!(status(state), Status::InDevelopment);
    }
    assert_eq!(status(published()), Status::Published);
}

#[test]
fn an_app_is_suspended_when_all_its_published_versions_are() {
    assert_eq!(status(suspended(Authority::Owner)), Status::Suspended);
    let with_another = second_approved().and(
        ada(),
        [published_as(second(), seen(2)), version_suspended(Authority::Owner)],
    );
    assert_eq!(status(with_another), Status::Published);
}

#[test]
fn an_app_is_suspended_by_its_own_suspension_whatever_its_versions_are() {
    assert_eq!(
        status(published().and(ada(), [app_suspended(Authority::Store)])),
        Status::Suspended
    );
    let resumed = published().and(
        ada(),
        [app_suspended(Authority::Store), Event::Resumed { version: None }],
    );
    assert_eq!(status(resumed), Status::Published);
}

#[test]
fn an_app_whose_versions_left_the_store_is_in_development_again() {
    assert_eq!(
        status(suspended(Authority::Owner).and(ada(), [deleted(), uploaded(second(), 2)])),
        Status::InDevelopment
    );
}

#[test]
fn a_deleted_app_is_deleted_even_if_it_was_suspended() {
    let gone = [
        version_suspended(Authority::Owner),
        app_suspended(Authority::Owner),
        deleted(),
        Event::AppDeleted {},
    ];
    assert_eq!(status(published().and(ada(), gone)), Status::Deleted);
}

#[test]
fn the_latest_version_is_the_highest_by_precedence_whatever_was_published_last() {
    let app = in_store(&["9.9.9", "11.10.0", "11.9.0"]);
    assert_eq!(app.latest_published(), Some(&number("11.10.0")));
}

#[test]
fn a_pre_release_is_the_latest_only_if_there_is_nothing_else() {
    assert_eq!(
        in_store(&["1.0.0", "2.0.0-rc.1"]).latest_published(),
        Some(&number("1.0.0"))
    );
    assert_eq!(
        in_store(&["2.0.0-rc.1", "2.0.0-beta"]).latest_published(),
        Some(&number("2.0.0-rc.1"))
    );
}

#[test]
fn a_suspended_version_is_not_the_latest_and_not_installable() {
    let app = suspended(Authority::Owner).state().unwrap();
    assert_eq!(app.latest_published(), None);
    assert!(!app.is_installable(&first()));
    assert!(published().state().unwrap().is_installable(&first()));
}
