//! What holds whatever several people do, in any order, at any time.
//!
//! The rules are computed again from the history alone, so that a mistake in the app's own memory shows.

mod history;
pub(super) mod steps;

use std::collections::BTreeSet;

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use self::steps::{Run, any_run};
use crate::{
    app::{App, Command, Event, Version, Versions},
    decider::Decider,
    event::StoredEvent,
};

proptest! {
    #[test]
    fn nothing_is_published_that_was_not_approved_at_exactly_its_digests(run in any_run()) {
        prop_assert_eq!(history::published_without_approval(&run.history), None);
    }

    #[test]
    fn the_store_never_turns_back_to_the_listing_of_an_earlier_submission(run in any_run()) {
        prop_assert_eq!(history::listing_turned_back(&run.history), None);
    }

    #[test]
    fn nobody_decides_about_what_he_ever_contributed_to(run in any_run()) {
        prop_assert_eq!(history::decided_by_a_contributor(&run.history), None);
    }

    #[test]
    fn nothing_is_approved_by_fewer_people_than_its_policy_asks(run in any_run()) {
        prop_assert_eq!(history::approved_by_too_few(&run.history), None);
    }

    #[test]
    fn the_status_follows_from_the_versions_and_the_suspension(run in any_run()) {
        prop_assert_eq!(run.state.map(|app| app.status()), Some(history::status(&run.history)));
    }

    #[test]
    fn versions_are_counted_where_they_stand(run in any_run()) {
        for app in run.steps.iter().filter_map(|step| step.after.as_ref()) {
            let mut anew = Versions::default();
            for (number, version) in app.versions.iter() {
                anew.insert(number.clone(), Version::clone(version));
            }
            prop_assert_eq!(&anew, &app.versions);
        }
    }

    #[test]
    fn the_latest_published_version_is_the_highest_and_a_pre_release_if_there_is_nothing_else(run in any_run()) {
        for app in run.steps.iter().filter_map(|step| step.after.as_ref()) {
            let published = || {
                let published = app.versions.iter().filter(|(_, version)| version.stage.is_published());
                published.map(|(number, _)| number)
            };
            let latest = published().filter(|number| !number.is_prerelease()).max().or_else(|| published().max());
            prop_assert_eq!(app.latest_published(), latest);
        }
    }

    #[test]
    fn a_number_that_was_published_never_gets_another_package(run in any_run()) {
        prop_assert_eq!(history::package_after_publication(&run.history), None);
    }

    #[test]
    fn a_review_has_one_holder_at_a_time_and_only_he_decides(run in any_run()) {
        prop_assert_eq!(history::decided_over_a_claim(&run.history), None);
    }

    #[test]
    fn replaying_what_was_stored_gives_the_same_state(run in any_run()) {
        let restored: Vec<_> = run
            .history
            .iter()
            .map(|(event, stamp)| {
                let stored = event.store().unwrap();
                (Event::restore(&stored.name, stored.data.to_string().as_bytes()).unwrap(), *stamp)
            })
            .collect();
        let replayed = App::fold(restored.iter().map(|(event, stamp)| (event, *stamp)));
        prop_assert_eq!(replayed, run.state);
    }

    #[test]
    fn what_succeeded_and_is_repeated_at_once_records_nothing(run in any_run()) {
        for step in run.steps.iter().filter(|step| step.outcome.is_ok()) {
            let again = App::decide(&step.after, step.command.clone(), step.stamp);
            if matches!(step.command, Command::UploadVersion { .. } | Command::Upload { .. }) {
                prop_assert!(again.is_err(), "{:?}", step.command);
            } else {
                prop_assert_eq!(again, Ok(vec![]), "{:?}", step.command);
            }
        }
    }

    #[test]
    fn a_refused_command_changes_nothing_and_is_refused_again(run in any_run()) {
        for step in &run.steps {
            if let Err(rejection) = &step.outcome {
                prop_assert_eq!(&step.before, &step.after);
                let again = App::decide(&step.after, step.command.clone(), step.stamp);
                prop_assert_eq!(again.as_ref(), Err(rejection));
            }
        }
    }
}

/// Properties of lives in which nothing ever happens would prove nothing.
#[test]
fn the_random_lives_reach_every_event() {
    let mut runner = TestRunner::deterministic();
    let mut met = BTreeSet::new();
    for _ in 0..1_000 {
        let Run { history, .. } = any_run().new_tree(&mut runner).unwrap().current();
        met.extend(history.iter().map(|(event, _)| event.store().unwrap().name));
    }
    let missing: Vec<_> = EVERY_EVENT.iter().filter(|name| !met.contains(**name)).collect();
    assert!(missing.is_empty(), "no life has {missing:?}");
}

const EVERY_EVENT: &[&str] = &[
    "AppUploaded",
    "VersionUploaded",
    "PackageReplaced",
    "ListingEdited",
    "IconSet",
    "CategoryAssigned",
    "VersionSubmitted",
    "VersionWithdrawn",
    "ReviewStarted",
    "ReviewReleased",
    "ApprovalGiven",
    "VersionApproved",
    "VersionRejected",
    "PublishedToStore",
    "ListingSubmitted",
    "ListingWithdrawn",
    "ListingReviewStarted",
    "ListingReviewReleased",
    "ListingApprovalGiven",
    "ListingApproved",
    "ListingRejected",
    "Suspended",
    "Resumed",
    "AppMoved",
    "VersionDeleted",
    "AppDeleted",
];
