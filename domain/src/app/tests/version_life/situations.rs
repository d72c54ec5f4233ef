//! Where version 11.3.4, its listing and its app can stand.

use crate::{
    app::{App, Authority, Event, tests::fixtures::*},
    review_policy::ReviewPolicy,
    spec::{Given, given},
};

/// The one policy that relaxes the separation of duties.
pub(in crate::app::tests) const AUTHORS_MAY_REVIEW: &str = "in review, authors may review";

#[derive(Clone)]
pub(in crate::app::tests) struct Situation {
    pub title: &'static str,
    /// What is so beside the title.
    pub remark: &'static str,
    pub app: Option<App>,
}

/// The stages of a version whose app is not suspended: the columns of the overview.
pub(in crate::app::tests) fn stages() -> Vec<Situation> {
    vec![
        situation("absent", "The app has another version only.", absent()),
        situation("draft", "", draft()),
        situation("submitted", "", submitted()),
        situation(
            "in review",
            "The review is claimed by the account in the column `app-review`.",
            in_review(),
        ),
        situation("approved", "By the account in the column `app-review`.", approved()),
        situation("rejected", "By the account in the column `app-review`.", rejected()),
        situation("published", "The store shows the listing as it is.", published()),
        situation("suspended", "By its owner.", suspended(Authority::Owner)),
        situation("deleted", "It never was in the store.", draft().and(ada(), [deleted()])),
    ]
}

pub(in crate::app::tests) fn every_situation() -> Vec<Situation> {
    let mut all = vec![situation("no such app", "Nothing was uploaded yet.", given([]))];
    all.extend(stages());
    all.extend([
        situation("suspended by the store", "", suspended(Authority::Store)),
        situation(
            "deleted after it was in the store",
            "",
            suspended(Authority::Owner).and(ada(), [deleted()]),
        ),
        situation(
            "approved, app suspended",
            "By its owner; another version is in the store.",
            approved_beside_published().and(ada(), [app_suspended(Authority::Owner)]),
        ),
        situation(
            "published, app suspended",
            "By its owner.",
            published().and(ada(), [app_suspended(Authority::Owner)]),
        ),
        situation(
            "published, app suspended by the store",
            "",
            published().and(rita(), [app_suspended(Authority::Store)]),
        ),
        situation(
            "suspended, app suspended by the store",
            "The version is suspended by its owner.",
            suspended(Authority::Owner).and(rita(), [app_suspended(Authority::Store)]),
        ),
        situation("published, listing edited since", "", listing_edited()),
        situation("published, listing submitted", "", listing_is_submitted()),
        situation(
            "published, listing in review",
            "The review is claimed by the account in the column `app-review`.",
            listing_is_submitted().and(grace(), [listing_review_started(9)]),
        ),
        situation(
            "in review, two approvals needed",
            "The review is claimed by the account in the column `app-review`.",
            in_review_with(approvals(2)),
        ),
        situation(
            "submitted, one of two approvals given",
            "Both are asked for at one stage; the account in the column `app-review` has given one.",
            approved_once(),
        ),
        situation(
            "in review, one of two approvals given",
            "The account in the column `platform-admin` has given one; the review is claimed by the one in `app-review`.",
            approved_by_another(),
        ),
        situation(
            "in review, at a stage for another role",
            "The open stage is decided with the role `legal`.",
            at_the_legal_stage(),
        ),
        situation(
            AUTHORS_MAY_REVIEW,
            "The policy lets authors review, and the claim is over.",
            in_review_with(ReviewPolicy {
                author_is_not_reviewer: false,
                ..ReviewPolicy::default()
            })
            .and(grace(), [released()])
            .and(ada(), [review_started(first(), 1)]),
        ),
        situation(
            "published, listing in review, two approvals needed",
            "The review is claimed by the account in the column `app-review`.",
            listing_edited()
                .and(ada(), [listing_submitted_with(9, listing(2), approvals(2))])
                .and(grace(), [listing_review_started(9)]),
        ),
        situation(
            "deleted with its app",
            "",
            draft().and(ada(), [deleted(), Event::AppDeleted {}]),
        ),
    ]);
    all
}

fn situation(title: &'static str, remark: &'static str, app: Given<App>) -> Situation {
    Situation {
        title,
        remark,
        app: app.state(),
    }
}

fn absent() -> Given<App> {
    given([app_uploaded(), uploaded(second(), 2)])
}

fn approved_beside_published() -> Given<App> {
    given([app_uploaded(), uploaded(second(), 2), submitted_as(second(), seen(2))])
        .and(grace(), [review_started(second(), 2), approved_as(second(), seen(2))])
        .and(ada(), [published_as(second(), seen(2))])
        .and(ada(), [uploaded(first(), 1), submitted_as(first(), seen(1))])
        .and(grace(), [review_started(first(), 1), approved_as(first(), seen(1))])
}

fn in_review_with(policy: ReviewPolicy) -> Given<App> {
    draft()
        .and(ada(), [submitted_with(first(), seen(1), policy)])
        .and(grace(), [review_started(first(), 1)])
}

fn approved_once() -> Given<App> {
    in_review_with(approvals(2)).and(grace(), [approval_given("review")])
}

fn approved_by_another() -> Given<App> {
    in_review_with(approvals(2))
        .and(grace(), [released()])
        .and(rita(), [review_started(first(), 1), approval_given("review")])
        .and(grace(), [review_started(first(), 1)])
}

fn at_the_legal_stage() -> Given<App> {
    in_review_with(two_stages())
        .and(rita(), [approval_given("technical")])
        .and(edith(), [approval_given("technical")])
        .and(grace(), [review_started(first(), 1)])
}

fn listing_edited() -> Given<App> {
    published().and(ada(), [edited(2)])
}

fn listing_is_submitted() -> Given<App> {
    listing_edited().and(ada(), [listing_submitted(9, listing(2))])
}
