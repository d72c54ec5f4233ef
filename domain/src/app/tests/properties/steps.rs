//! Random lives of an app: who does what, and how long after the last thing.

use chrono::TimeDelta;
use proptest::prelude::*;

use crate::{
    app::{App, Authority, Command, Event, Rejection, command::Seen, tests::fixtures::*},
    decider::{Decider, Stamp},
    review_policy::ReviewPolicy,
    spec::{noon, somebody, stamp},
    version_number::VersionNumber,
};

/// A life: every command that was given, and the history that came of it.
#[derive(Debug, Clone)]
pub(in crate::app::tests) struct Run {
    pub steps: Vec<Step>,
    pub history: Vec<(Event, Stamp)>,
    pub state: Option<App>,
}

#[derive(Debug, Clone)]
pub(in crate::app::tests) struct Step {
    pub command: Command,
    pub stamp: Stamp,
    pub before: Option<App>,
    pub after: Option<App>,
    pub outcome: Result<Vec<Event>, Rejection>,
}

/// What a step will be, as far as it does not depend on how the app stands by then.
#[derive(Debug, Clone)]
struct Plan {
    deed: Deed,
    by: usize,
    pause: TimeDelta,
    number: VersionNumber,
    /// Tells packages, listings and authorities apart.
    variant: u8,
    /// Whether whoever decides looks at what is current.
    attentive: bool,
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    UploadVersion,
    ReplacePackage,
    EditListing,
    SetIcon,
    AssignCategory,
    Submit,
    Withdraw,
    StartReview,
    ReleaseReview,
    Approve,
    Reject,
    Publish,
    Suspend,
    Resume,
    Delete,
    SubmitListing,
    WithdrawListing,
    StartListingReview,
    ReleaseListingReview,
    ApproveListing,
    RejectListing,
    SuspendApp,
    ResumeApp,
    MoveApp,
    DeleteApp,
}

pub(in crate::app::tests) fn any_run() -> impl Strategy<Value = Run> {
    let plans = prop::collection::vec(any_plan(), 0..60);
    (any_start(), plans).prop_map(|(start, plans)| live(start, &plans))
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let pause = prop_oneof![4 => 0..60i64, 1 => 0..3_000i64].prop_map(TimeDelta::minutes);
    let number = prop::sample::select(vec!["1.0.0", "1.0", "1.0.0+rebuilt", "2.0.0-rc.1"]).prop_map(number);
    let attentive = prop::bool::weighted(0.9);
    let who_does_what = any_deed().prop_flat_map(|deed| (Just(deed), anybody_for(deed)));
    (who_does_what, pause, number, 1..4u8, attentive).prop_map(|((deed, by), pause, number, variant, attentive)| Plan {
        deed,
        by,
        pause,
        number,
        variant,
        attentive,
    })
}

/// The way to the store is walked more often than the ways off it, or nobody would arrive.
fn any_deed() -> impl Strategy<Value = Deed> {
    let way_to_the_store = prop::sample::select(vec![
        Deed::UploadVersion,
        Deed::Submit,
        Deed::StartReview,
        Deed::Approve,
        Deed::Publish,
    ]);
    let way_of_a_listing = prop::sample::select(vec![
        Deed::EditListing,
        Deed::SubmitListing,
        Deed::StartListingReview,
        Deed::ApproveListing,
    ]);
    let off_the_way = prop::sample::select(vec![
        Deed::ReplacePackage,
        Deed::EditListing,
        Deed::SetIcon,
        Deed::AssignCategory,
        Deed::Withdraw,
        Deed::ReleaseReview,
        Deed::Reject,
        Deed::Suspend,
        Deed::Resume,
        Deed::Delete,
        Deed::WithdrawListing,
        Deed::ReleaseListingReview,
        Deed::RejectListing,
        Deed::SuspendApp,
        Deed::ResumeApp,
        Deed::MoveApp,
        Deed::DeleteApp,
    ]);
    prop_oneof![6 => way_to_the_store, 3 => way_of_a_listing, 2 => off_the_way]
}

/// Four people; two of them write most of what is written, so that the other two may review most of it.
fn anybody_for(deed: Deed) -> BoxedStrategy<usize> {
    match deed {
        Deed::UploadVersion
        | Deed::ReplacePackage
        | Deed::EditListing
        | Deed::SetIcon
        | Deed::Submit
        | Deed::SubmitListing => prop_oneof![30 => 0..2usize, 1 => 0..4usize].boxed(),
        _ => (0..4usize).boxed(),
    }
}

/// Half of the lives start in the store, because few find their way there by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Uploaded,
    Published,
}

fn any_start() -> impl Strategy<Value = Start> {
    prop::sample::select(vec![Start::Uploaded, Start::Published])
}

fn live(start: Start, plans: &[Plan]) -> Run {
    let mut run = Run {
        steps: Vec::new(),
        history: Vec::new(),
        state: None,
    };
    upload(&mut run);
    if start == Start::Published {
        bring_to_the_store(&mut run);
    }
    let people = [somebody(), edith(), grace(), rita()];
    let mut now = noon();
    for (n, plan) in (10..).zip(plans) {
        now += plan.pause;
        let command = command(plan, run.state.as_ref(), n);
        take(&mut run, command, at(people[plan.by], now));
    }
    run
}

fn upload(run: &mut Run) {
    let upload = Command::Upload {
        workspace: workspace(),
        chart: redis(),
        listing: listing(1),
        version: number("1.0.0"),
        package: package(1),
    };
    take(run, upload, stamp(somebody()));
}

fn bring_to_the_store(run: &mut Run) {
    let version = || number("1.0.0");
    let approve = Command::ApproveVersion {
        version: version(),
        seen: seen(1),
        panel: panel(),
    };
    take(run, submit(version(), 1), stamp(somebody()));
    take(
        run,
        Command::StartReview {
            version: version(),
            panel: panel(),
        },
        stamp(grace()),
    );
    take(run, approve, stamp(grace()));
    take(run, publish(version()), stamp(somebody()));
}

fn take(run: &mut Run, command: Command, stamp: Stamp) {
    let before = run.state.clone();
    let outcome = App::decide(&before, command.clone(), stamp);
    for event in outcome.iter().flatten() {
        run.state = App::evolve(run.state.take(), event, stamp);
        run.history.push((event.clone(), stamp));
    }
    run.steps.push(Step {
        command,
        stamp,
        before,
        after: run.state.clone(),
        outcome,
    });
}

/// The command of `plan` where the app stands at `app`; a submission that it makes is number `n`.
fn command(plan: &Plan, app: Option<&App>, n: u128) -> Command {
    let version = plan.number.clone();
    let authority = if plan.variant == 1 {
        Authority::Store
    } else {
        Authority::Owner
    };
    match plan.deed {
        Deed::UploadVersion => Command::UploadVersion {
            chart: redis(),
            version,
            package: package(plan.variant),
        },
        Deed::ReplacePackage => Command::ReplacePackage {
            number: version.clone(),
            version,
            chart: redis(),
            package: package(plan.variant),
        },
        Deed::EditListing => Command::EditListing {
            listing: listing(plan.variant),
        },
        Deed::SetIcon => Command::SetIcon {
            icon: package(9).digest,
            listing: listing(plan.variant + 10),
        },
        Deed::AssignCategory => Command::AssignCategory {
            category: (plan.variant > 1).then(category),
            authority,
        },
        Deed::Submit => Command::SubmitVersion {
            version,
            submission: submission(n),
            policy: policy(),
            review: policy_of(plan),
        },
        Deed::Withdraw => Command::WithdrawVersion { version },
        Deed::StartReview => Command::StartReview {
            version,
            panel: panel(),
        },
        Deed::ReleaseReview => Command::ReleaseReview {
            version,
            panel: panel(),
        },
        Deed::Approve | Deed::Reject => decision(plan, app),
        Deed::Publish => publish(version),
        Deed::Suspend => Command::SuspendVersion {
            version,
            authority,
            reason: None,
        },
        Deed::Resume => Command::ResumeVersion { version, authority },
        Deed::Delete => Command::DeleteVersion { version },
        Deed::SubmitListing => Command::SubmitListing {
            submission: submission(n),
            policy: policy(),
            review: policy_of(plan),
        },
        Deed::WithdrawListing => Command::WithdrawListing,
        Deed::StartListingReview => Command::StartListingReview { panel: panel() },
        Deed::ReleaseListingReview => Command::ReleaseListingReview { panel: panel() },
        Deed::ApproveListing | Deed::RejectListing => listing_decision(plan, app),
        Deed::SuspendApp => Command::SuspendApp {
            authority,
            reason: Some(reason()),
        },
        Deed::ResumeApp => Command::ResumeApp { authority },
        Deed::MoveApp => Command::MoveApp {
            workspace: if plan.variant == 1 { workspace() } else { elsewhere() },
        },
        Deed::DeleteApp => Command::DeleteApp,
    }
}

/// A third of what is submitted takes two approvals.
fn policy_of(plan: &Plan) -> ReviewPolicy {
    if plan.variant == 3 {
        approvals(2)
    } else {
        default_policy()
    }
}

fn decision(plan: &Plan, app: Option<&App>) -> Command {
    let version = plan.number.clone();
    let current = app
        .and_then(|app| app.version(&version)?.stage.submission().copied())
        .filter(|_| plan.attentive)
        .map(|current| Seen {
            submission: current.id,
            package: current.package,
            listing: current.listing,
        });
    let seen = current.unwrap_or_else(|| seen(plan.variant));
    match plan.deed {
        Deed::Reject => Command::RejectVersion {
            version,
            seen,
            reason: reason(),
            panel: panel(),
        },
        _ => Command::ApproveVersion {
            version,
            seen,
            panel: panel(),
        },
    }
}

fn listing_decision(plan: &Plan, app: Option<&App>) -> Command {
    let current = app
        .and_then(|app| app.listing.review.as_ref())
        .filter(|_| plan.attentive)
        .map(|open| (open.submission.id, open.submission.listing));
    let (submission, listing) = current.unwrap_or_else(|| (submission(plan.variant.into()), listing(plan.variant)));
    match plan.deed {
        Deed::RejectListing => Command::RejectListing {
            submission,
            listing,
            reason: reason(),
            panel: panel(),
        },
        _ => Command::ApproveListing {
            submission,
            listing,
            panel: panel(),
        },
    }
}
