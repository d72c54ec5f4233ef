use super::fixtures::*;
use crate::{
    app::{Action, App, Authority, Command, Event, Rejection},
    spec::{Given, given},
};

fn delete() -> Command {
    Command::DeleteVersion { version: first() }
}

fn upload_again(version: &str) -> Command {
    Command::UploadVersion {
        chart: redis(),
        version: number(version),
        package: package(2),
    }
}

fn app_deleted() -> Given<App> {
    draft().and(ada(), [deleted(), Event::AppDeleted {}])
}

#[test]
fn drafts_and_what_was_approved_rejected_or_suspended_can_be_deleted() {
    for state in [draft(), approved(), rejected(), suspended(Authority::Owner)] {
        state.when(delete()).then([deleted()]);
    }
}

#[test]
fn what_is_under_review_or_in_the_store_cannot_be_deleted() {
    for (state, stage) in [
        (submitted(), "submitted"),
        (in_review(), "in review"),
        (published(), "published"),
    ] {
        let allowed = state.clone().state().unwrap().versions[&first()].stage.allows();
        assert!(!allowed.contains(&Action::Delete));
        state.when(delete()).then_rejected(&Rejection::WrongState {
            version: first(),
            stage,
            allowed,
        });
    }
}

#[test]
fn deleting_a_version_twice_records_nothing() {
    draft().and(ada(), [deleted()]).when(delete()).then([]);
}

#[test]
fn a_version_nobody_uploaded_cannot_be_deleted() {
    draft()
        .when(Command::DeleteVersion { version: second() })
        .then_rejected(&Rejection::VersionNotFound(second()));
}

#[test]
fn a_deleted_version_is_not_found() {
    draft()
        .and(ada(), [deleted()])
        .when(submit(first(), 1))
        .then_rejected(&Rejection::VersionNotFound(first()));
}

#[test]
fn a_number_that_was_never_published_is_free_again_after_its_deletion() {
    draft()
        .and(ada(), [deleted()])
        .when(upload_again("11.3.4"))
        .then([uploaded(first(), 2)]);
}

#[test]
fn a_number_uploaded_again_goes_on_counting_its_events() {
    let app = draft().and(ada(), [deleted(), uploaded(first(), 2)]).state().unwrap();
    assert_eq!(app.versions[&first()].revision, 3);
}

#[test]
fn a_number_that_was_ever_published_is_never_free_again() {
    let retired = suspended(Authority::Owner).and(ada(), [deleted()]);
    for version in ["11.3.4", "11.3.4+rebuilt"] {
        retired
            .clone()
            .when(upload_again(version))
            .then_rejected(&Rejection::VersionRetired(number(version)));
    }
}

#[test]
fn an_app_is_deleted_only_when_all_its_versions_are_and_the_refusal_lists_the_rest() {
    draft()
        .and(ada(), [uploaded(second(), 2)])
        .when(Command::DeleteApp)
        .then_rejected(&Rejection::VersionsRemain(vec![first(), second()]));
    draft()
        .and(ada(), [deleted()])
        .when(Command::DeleteApp)
        .then([Event::AppDeleted {}]);
}

#[test]
fn deleting_an_app_twice_records_nothing() {
    app_deleted().when(Command::DeleteApp).then([]);
}

#[test]
fn nothing_else_can_be_done_to_a_deleted_app() {
    for command in [
        upload_again("12.0.0"),
        Command::EditListing { listing: listing(2) },
        Command::SuspendApp {
            authority: Authority::Store,
            reason: None,
        },
        delete(),
    ] {
        app_deleted().when(command).then_rejected(&Rejection::NotFound);
    }
}

#[test]
fn a_deleted_app_leaves_the_review_queue() {
    let app = suspended(Authority::Owner)
        .and(
            ada(),
            [
                edited(2),
                listing_submitted(9, listing(2)),
                deleted(),
                Event::AppDeleted {},
            ],
        )
        .state()
        .unwrap();
    assert_eq!(app.listing.review, None);
}

#[test]
fn events_out_of_place_change_nothing() {
    assert_eq!(given::<App>([deleted()]).state(), None);
    let stray = [
        review_started(second(), 5),
        approved_as(second(), seen(2)),
        published_as(second(), seen(2)),
        version_suspended(Authority::Store),
        listing_review_started(5),
    ];
    let mut expected = draft().state().unwrap();
    let mut found = draft().and(grace(), stray).state().unwrap();
    // Only that something happened is counted.
    for app in [&mut expected, &mut found] {
        let numbers: Vec<_> = app.versions.keys().cloned().collect();
        for number in numbers {
            app.versions.change(&number, |version| version.revision = 0);
        }
    }
    assert_eq!(found, expected);
}
