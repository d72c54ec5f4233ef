//! One Redis app and the people around it, at every stage of its first version.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    access::{Principal, Roles},
    account::Scope,
    app::{App, Authority, Command, Event, Package, Panel, Terms, command::Seen},
    decider::Stamp,
    digest::{Digest, Sealed},
    ids::{AccountId, Actor, CategoryId, SubmissionId, WorkspaceId},
    names::{ChartName, StageName},
    permission::Permission,
    review_policy::{Deciders, ReviewPolicy, ReviewStage},
    spec::{Given, given, noon, somebody},
    version_number::VersionNumber,
};

/// Uploads and submits; who acts where a test does not say.
pub(super) fn ada() -> AccountId {
    somebody()
}

/// Edits listings.
pub(super) fn edith() -> AccountId {
    account(0xED17)
}

/// Reviews, and holds the claim in the fixtures that have one.
pub(super) fn grace() -> AccountId {
    account(0x62ACE)
}

/// Reviews too.
pub(super) fn rita() -> AccountId {
    account(0x217A)
}

pub(super) fn account(n: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(n))
}

pub(super) fn at(by: AccountId, at: DateTime<Utc>) -> Stamp {
    Stamp {
        by: Actor::Account(by),
        at,
    }
}

pub(super) fn system() -> Stamp {
    Stamp {
        by: Actor::System,
        at: noon(),
    }
}

pub(super) fn a_day_later() -> DateTime<Utc> {
    noon() + TimeDelta::hours(24)
}

pub(super) fn workspace() -> WorkspaceId {
    WorkspaceId::from_uuid(Uuid::from_u128(0x0123))
}

pub(super) fn elsewhere() -> WorkspaceId {
    WorkspaceId::from_uuid(Uuid::from_u128(0x999))
}

pub(super) fn category() -> CategoryId {
    CategoryId::from_uuid(Uuid::from_u128(0xCA7))
}

pub(super) fn redis() -> ChartName {
    "redis".parse().unwrap()
}

pub(super) fn number(text: &str) -> VersionNumber {
    text.parse().unwrap()
}

/// The version the stages are about.
pub(super) fn first() -> VersionNumber {
    number("11.3.4")
}

pub(super) fn second() -> VersionNumber {
    number("12.0.0")
}

pub(super) fn package(n: u8) -> Package {
    Package {
        digest: Digest::from_bytes([n; 32]),
        chart: Digest::from_bytes([n + 100; 32]),
        size: "1024".to_owned(),
    }
}

pub(super) fn listing(n: u8) -> Digest {
    Digest::from_bytes([n + 50; 32])
}

pub(super) fn policy() -> Digest {
    Digest::from_bytes([0xF0; 32])
}

pub(super) fn default_policy() -> ReviewPolicy {
    ReviewPolicy::default()
}

/// A technical stage of two approvals, then a legal stage for the role `legal`.
pub(super) fn two_stages() -> ReviewPolicy {
    let stage = |name: &str, deciders, approvals| ReviewStage {
        name: name.parse().unwrap(),
        deciders,
        approvals,
    };
    ReviewPolicy {
        stages: vec![
            stage("technical", Deciders::Permission(Permission::ReviewApprove), 2),
            stage("legal", Deciders::Role("legal".parse().unwrap()), 1),
        ],
        author_is_not_reviewer: true,
    }
}

/// The roles of whoever acts where a test does not say: everything on the platform.
pub(super) fn panel() -> Panel {
    Panel::of(&Principal::resolve(
        somebody(),
        [("platform-admin".parse().unwrap(), Scope::Platform {})],
        &Roles::default(),
    ))
}

/// What a decision under the default policy by whoever has that panel says of itself.
pub(super) fn terms() -> Terms {
    Terms {
        stage: StageName::default(),
        role: "platform-admin".parse().unwrap(),
        policy: policy(),
        exception: None,
    }
}

pub(super) fn submission(n: u128) -> SubmissionId {
    SubmissionId::from_uuid(Uuid::from_u128(n))
}

pub(super) fn reason() -> Sealed {
    Sealed {
        subject: "app-1".to_owned(),
        digest: Digest::from_bytes([0xEA; 32]),
    }
}

// Facts, with the numbers that tell them apart.

pub(super) fn app_uploaded() -> Event {
    Event::AppUploaded {
        workspace: workspace(),
        chart: redis(),
        listing: listing(1),
    }
}

pub(super) fn uploaded(version: VersionNumber, n: u8) -> Event {
    Event::VersionUploaded {
        version,
        package: package(n),
    }
}

pub(super) fn replaced(n: u8) -> Event {
    Event::PackageReplaced {
        version: first(),
        package: package(n),
    }
}

pub(super) fn edited(n: u8) -> Event {
    Event::ListingEdited { listing: listing(n) }
}

pub(super) fn submitted_as(version: VersionNumber, seen: Seen) -> Event {
    Event::VersionSubmitted {
        version,
        submission: seen.submission,
        digest: seen.package,
        listing: seen.listing,
        policy: policy(),
        review: Some(ReviewPolicy::default()),
    }
}

pub(super) fn submitted_with(version: VersionNumber, seen: Seen, review: ReviewPolicy) -> Event {
    Event::VersionSubmitted {
        version,
        submission: seen.submission,
        digest: seen.package,
        listing: seen.listing,
        policy: policy(),
        review: Some(review),
    }
}

pub(super) fn listing_submitted_with(n: u128, digest: Digest, review: ReviewPolicy) -> Event {
    Event::ListingSubmitted {
        submission: submission(n),
        listing: digest,
        policy: policy(),
        review: Some(review),
    }
}

/// An approval of the first version that is not the last.
pub(super) fn approval_given(stage: &str) -> Event {
    let seen = seen(1);
    Event::ApprovalGiven {
        version: first(),
        submission: seen.submission,
        digest: seen.package,
        listing: seen.listing,
        terms: terms_at(stage),
    }
}

pub(super) fn terms_at(stage: &str) -> Terms {
    Terms {
        stage: stage.parse().unwrap(),
        ..terms()
    }
}

/// One stage of so many approvals.
pub(super) fn approvals(n: u32) -> ReviewPolicy {
    let mut policy = ReviewPolicy::default();
    policy.stages[0].approvals = n;
    policy
}

pub(super) fn review_started(version: VersionNumber, n: u128) -> Event {
    Event::ReviewStarted {
        version,
        submission: submission(n),
    }
}

pub(super) fn approved_as(version: VersionNumber, seen: Seen) -> Event {
    Event::VersionApproved {
        version,
        submission: seen.submission,
        digest: seen.package,
        listing: seen.listing,
        terms: Some(terms()),
    }
}

pub(super) fn rejected_as(seen: Seen) -> Event {
    Event::VersionRejected {
        version: first(),
        submission: seen.submission,
        digest: seen.package,
        listing: seen.listing,
        reason: reason(),
        terms: Some(terms()),
    }
}

pub(super) fn published_as(version: VersionNumber, seen: Seen) -> Event {
    Event::PublishedToStore {
        version,
        submission: seen.submission,
        digest: seen.package,
        listing: seen.listing,
    }
}

pub(super) fn version_suspended(authority: Authority) -> Event {
    Event::Suspended {
        version: Some(first()),
        authority,
        reason: None,
    }
}

pub(super) fn app_suspended(authority: Authority) -> Event {
    Event::Suspended {
        version: None,
        authority,
        reason: None,
    }
}

pub(super) fn withdrawn() -> Event {
    Event::VersionWithdrawn {
        version: first(),
        submission: submission(1),
    }
}

pub(super) fn released() -> Event {
    Event::ReviewReleased {
        version: first(),
        submission: submission(1),
    }
}

pub(super) fn deleted() -> Event {
    Event::VersionDeleted { version: first() }
}

pub(super) fn listing_submitted(n: u128, digest: Digest) -> Event {
    Event::ListingSubmitted {
        submission: submission(n),
        listing: digest,
        policy: policy(),
        review: Some(ReviewPolicy::default()),
    }
}

pub(super) fn listing_review_started(n: u128) -> Event {
    Event::ListingReviewStarted {
        submission: submission(n),
    }
}

/// Submission `n` of package `n` with listing `n`: the first version's is number 1.
pub(super) fn seen(n: u8) -> Seen {
    Seen {
        submission: submission(n.into()),
        package: package(n).digest,
        listing: listing(n),
    }
}

// Commands.

pub(super) fn submit(version: VersionNumber, n: u128) -> Command {
    Command::SubmitVersion {
        version,
        submission: submission(n),
        policy: policy(),
        review: ReviewPolicy::default(),
    }
}

pub(super) fn start_review() -> Command {
    Command::StartReview {
        version: first(),
        panel: panel(),
    }
}

pub(super) fn approve(seen: Seen) -> Command {
    Command::ApproveVersion {
        version: first(),
        seen,
        panel: panel(),
    }
}

pub(super) fn reject(seen: Seen) -> Command {
    Command::RejectVersion {
        version: first(),
        seen,
        reason: reason(),
        panel: panel(),
    }
}

pub(super) fn publish(version: VersionNumber) -> Command {
    Command::PublishVersion { version }
}

// Stages of the first version.

pub(super) fn draft() -> Given<App> {
    given([app_uploaded(), uploaded(first(), 1)])
}

pub(super) fn submitted() -> Given<App> {
    draft().and(ada(), [submitted_as(first(), seen(1))])
}

pub(super) fn in_review() -> Given<App> {
    submitted().and(grace(), [review_started(first(), 1)])
}

pub(super) fn approved() -> Given<App> {
    in_review().and(grace(), [approved_as(first(), seen(1))])
}

pub(super) fn rejected() -> Given<App> {
    in_review().and(grace(), [rejected_as(seen(1))])
}

pub(super) fn published() -> Given<App> {
    approved().and(ada(), [published_as(first(), seen(1))])
}

pub(super) fn suspended(authority: Authority) -> Given<App> {
    published().and(ada(), [version_suspended(authority)])
}

/// The second version, uploaded after the first was published, with the listing edited since.
pub(super) fn second_approved() -> Given<App> {
    published()
        .and(
            ada(),
            [uploaded(second(), 2), edited(2), submitted_as(second(), seen(2))],
        )
        .and(grace(), [review_started(second(), 2), approved_as(second(), seen(2))])
}
