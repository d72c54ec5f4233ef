use super::fixtures::*;
use crate::app::{Action, Authority, Command, Event, Rejection, command::Seen};

#[test]
fn what_was_approved_is_what_is_published() {
    approved().when(publish(first())).then([published_as(first(), seen(1))]);
}

#[test]
fn publishing_twice_records_nothing() {
    published().when(publish(first())).then([]);
}

#[test]
fn nothing_is_published_that_was_not_approved() {
    for (state, stage) in [
        (draft(), "draft"),
        (submitted(), "submitted"),
        (in_review(), "in review"),
        (rejected(), "rejected"),
        (suspended(Authority::Owner), "suspended"),
    ] {
        let allowed = state.clone().state().unwrap().versions[&first()].stage.allows();
        assert!(!allowed.contains(&Action::Publish));
        state.when(publish(first())).then_rejected(&Rejection::WrongState {
            version: first(),
            stage,
            allowed,
        });
    }
}

#[test]
fn nothing_is_published_while_the_app_is_suspended() {
    second_approved()
        .and(ada(), [app_suspended(Authority::Owner)])
        .when(publish(second()))
        .then_rejected(&Rejection::AppSuspended);
}

#[test]
fn an_edit_after_the_approval_is_not_published_with_it() {
    approved()
        .and(ada(), [edited(2)])
        .when(publish(first()))
        .then([published_as(first(), seen(1))]);
}

#[test]
fn the_listing_of_a_later_version_wins_over_an_earlier_versions_publish() {
    let third = number("11.4.0");
    let both_approved = second_approved()
        .and(
            ada(),
            [
                uploaded(third.clone(), 3),
                edited(3),
                submitted_as(third.clone(), seen(3)),
            ],
        )
        .and(
            grace(),
            [review_started(third.clone(), 3), approved_as(third.clone(), seen(3))],
        );
    let later_first = both_approved.and(ada(), [published_as(third, seen(3))]);
    later_first.when(publish(second())).then([published_as(
        second(),
        Seen {
            listing: listing(3),
            ..seen(2)
        },
    )]);
}

#[test]
fn a_listing_approved_later_on_its_own_wins_over_an_earlier_versions_publish() {
    second_approved()
        .and(ada(), [edited(5), listing_submitted(9, listing(5))])
        .and(
            grace(),
            [
                listing_review_started(9),
                Event::ListingApproved {
                    submission: submission(9),
                    listing: listing(5),
                    terms: Some(terms()),
                },
            ],
        )
        .when(publish(second()))
        .then([published_as(
            second(),
            Seen {
                listing: listing(5),
                ..seen(2)
            },
        )]);
}

#[test]
fn publishing_a_version_takes_back_a_listing_that_was_submitted_before_it() {
    let overtaken = published()
        .and(ada(), [edited(5), listing_submitted(9, listing(5))])
        .and(
            ada(),
            [uploaded(second(), 2), edited(2), submitted_as(second(), seen(2))],
        )
        .and(grace(), [review_started(second(), 2), approved_as(second(), seen(2))]);
    let withdrawn = Event::ListingWithdrawn {
        submission: submission(9),
    };
    overtaken
        .when(publish(second()))
        .then([published_as(second(), seen(2)), withdrawn]);
}

#[test]
fn publishing_a_version_leaves_a_listing_that_was_submitted_after_it() {
    second_approved()
        .and(ada(), [edited(5), listing_submitted(9, listing(5))])
        .when(publish(second()))
        .then([published_as(second(), seen(2))]);
}

#[test]
fn a_category_is_assigned_once_by_owner_or_store_and_can_be_taken_back() {
    let assign = |category, authority| Command::AssignCategory { category, authority };
    let assigned = |category| Event::CategoryAssigned { category };
    for authority in [Authority::Owner, Authority::Store] {
        draft()
            .when(assign(Some(category()), authority))
            .then([assigned(Some(category()))]);
        draft().when(assign(None, authority)).then([]);
        draft()
            .and(ada(), [assigned(Some(category()))])
            .when(assign(None, authority))
            .then([assigned(None)]);
    }
}
