//! Allowed is what the command would be accepted for, whoever asks, wherever the app stands.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::{
    fixtures::*,
    properties::steps::any_run,
    version_life::{
        actors::{Actor, everybody},
        situations::every_situation,
    },
};
use crate::{
    access::Place,
    allowed::{Reason, Verdict},
    app::{App, Asker, Command, Panel, command::Seen},
    decider::{Decider, Reject, Stamp},
    permission::Permission,
    spec::{noon, stamp},
    version_number::VersionNumber,
};

fn asker(actor: &Actor, at: DateTime<Utc>) -> Asker<'_> {
    Asker {
        principal: &actor.principal,
        panel: Panel::of(&actor.principal),
        stamp: stamp_at(actor, at),
    }
}

fn stamp_at(actor: &Actor, at: DateTime<Utc>) -> Stamp {
    Stamp {
        at,
        ..stamp(actor.principal.account)
    }
}

/// All that is said of an app and one of its versions.
fn verdicts(app: &App, version: &VersionNumber, asker: &Asker<'_>) -> BTreeMap<&'static str, Verdict> {
    let all = app.allowed(asker).into_iter().chain(app.allowed_on(version, asker));
    all.map(|allowed| (allowed.action, allowed.verdict)).collect()
}

fn verdict(app: &App, action: &str, actor: &Actor) -> Verdict {
    let all = verdicts(app, &first(), &asker(actor, noon()));
    all.get(action)
        .unwrap_or_else(|| panic!("nothing is said of {action}"))
        .clone()
}

/// Actions whose input decides whether there is anything left to do.
const WITH_INPUT: [&str; 7] = [
    "replacePackage",
    "uploadVersion",
    "editListing",
    "setIcon",
    "assignCategory",
    "moveApp",
    "submitListing",
];

/// The verdict as the code a client would get, or what comes of the command if it is accepted.
fn said(action: &str, verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed => "done",
        Verdict::Done if WITH_INPUT.contains(&action) => "done",
        Verdict::Done => "done before",
        Verdict::Refused { code, .. } => code,
    }
}

/// What comes of a command that a client could give, by the policy and the decider themselves.
fn outcome(app: &App, action: &str, command: Command, actor: &Actor, at: DateTime<Utc>) -> &'static str {
    let permission = command.permission();
    if !actor.principal.may(permission, Place::of(permission, app.workspace)) {
        return "FORBIDDEN";
    }
    let command = command.given_by(Panel::of(&actor.principal));
    match App::decide(&Some(app.clone()), command, stamp_at(actor, at)) {
        Ok(events) if events.is_empty() && !WITH_INPUT.contains(&action) => "done before",
        Ok(_) => "done",
        Err(rejection) => rejection.code(),
    }
}

fn authority(actor: &Actor, permission: Permission) -> crate::app::Authority {
    crate::app::Authority::of(&actor.principal, permission)
}

/// What a reviewer has read who looks now.
fn read(app: &App, version: &VersionNumber) -> Seen {
    let current = app.version(version).and_then(|version| version.stage.submission());
    current.map_or_else(
        || seen(1),
        |current| Seen {
            submission: current.id,
            package: current.package,
            listing: current.listing,
        },
    )
}

/// The same actions with other inputs than the ones that verdicts are made of.
fn commands(app: &App, version: &VersionNumber, actor: &Actor) -> Vec<(&'static str, Command)> {
    let mut commands = about_version(app, version, actor);
    commands.extend(about_app(app, actor));
    commands
}

fn about_version(app: &App, of: &VersionNumber, actor: &Actor) -> Vec<(&'static str, Command)> {
    let (version, seen, panel) = (of.clone(), read(app, of), panel());
    let (chart, number, package) = (redis(), version.clone(), package(77));
    let (store, reason) = (authority(actor, Permission::StoreSuspend), reason());
    let v = || version.clone();
    vec![
        (
            "replacePackage",
            Command::ReplacePackage {
                version: v(),
                chart,
                number,
                package,
            },
        ),
        ("submitVersion", submit(v(), 77)),
        ("withdrawVersion", Command::WithdrawVersion { version: v() }),
        (
            "startReview",
            Command::StartReview {
                version: v(),
                panel: panel.clone(),
            },
        ),
        (
            "releaseReview",
            Command::ReleaseReview {
                version: v(),
                panel: panel.clone(),
            },
        ),
        (
            "approveVersion",
            Command::ApproveVersion {
                version: v(),
                seen,
                panel: panel.clone(),
            },
        ),
        (
            "rejectVersion",
            Command::RejectVersion {
                version: v(),
                seen,
                reason: reason.clone(),
                panel,
            },
        ),
        ("publishVersion", publish(v())),
        (
            "suspendVersion",
            Command::SuspendVersion {
                version: v(),
                authority: store,
                reason: Some(reason),
            },
        ),
        (
            "resumeVersion",
            Command::ResumeVersion {
                version: v(),
                authority: authority(actor, Permission::StoreResume),
            },
        ),
        ("deleteVersion", Command::DeleteVersion { version: v() }),
    ]
}

fn about_app(app: &App, actor: &Actor) -> Vec<(&'static str, Command)> {
    let open = app.listing.review.as_ref();
    let (submission, under_review) = open.map_or_else(
        || (submission(1), listing(1)),
        |open| (open.submission.id, open.submission.listing),
    );
    vec![
        (
            "uploadVersion",
            Command::UploadVersion {
                chart: redis(),
                version: number("77.0.0"),
                package: package(77),
            },
        ),
        ("editListing", Command::EditListing { listing: listing(77) }),
        (
            "suspendApp",
            Command::SuspendApp {
                authority: authority(actor, Permission::StoreSuspend),
                reason: Some(reason()),
            },
        ),
        (
            "resumeApp",
            Command::ResumeApp {
                authority: authority(actor, Permission::StoreResume),
            },
        ),
        ("moveApp", Command::MoveApp { workspace: elsewhere() }),
        ("deleteApp", Command::DeleteApp),
        ("withdrawListing", Command::WithdrawListing),
        ("startListingReview", Command::StartListingReview { panel: panel() }),
        ("releaseListingReview", Command::ReleaseListingReview { panel: panel() }),
        (
            "approveListing",
            Command::ApproveListing {
                submission,
                listing: under_review,
                panel: panel(),
            },
        ),
        (
            "rejectListing",
            Command::RejectListing {
                submission,
                listing: under_review,
                reason: reason(),
                panel: panel(),
            },
        ),
    ]
}

/// Where what is said and what happens differ, for anybody, of an app and one of its versions.
fn difference(app: &App, version: &VersionNumber, at: DateTime<Utc>) -> Option<String> {
    everybody().iter().find_map(|actor| {
        let verdicts = verdicts(app, version, &asker(actor, at));
        commands(app, version, actor).into_iter().find_map(|(action, command)| {
            let said = said(action, &verdicts[action]);
            let found = outcome(app, action, command, actor, at);
            (said != found).then(|| format!("{} {action} {version}: {said} is said, {found} happens", actor.name))
        })
    })
}

#[test]
fn what_is_allowed_is_accepted_and_what_is_not_is_refused_with_the_same_code() {
    for situation in every_situation() {
        let Some(app) = situation.app else { continue };
        assert_eq!(difference(&app, &first(), noon()), None, "{}", situation.title);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_same_holds_wherever_random_lives_lead_and_however_long_they_rest(run in any_run(), hours in 0_i64..60) {
        if let (Some(app), Some(last)) = (&run.state, run.history.last()) {
            let at = last.1.at + TimeDelta::hours(hours);
            for version in app.versions.keys().chain([&number("99.0.0")]) {
                prop_assert_eq!(difference(app, version, at), None);
            }
        }
    }
}

#[test]
fn a_verdict_says_what_kind_of_thing_is_in_the_way() {
    let people = everybody();
    let actor = |name: &str| people.iter().find(|actor| actor.name == name).unwrap();
    let app = in_review().state().unwrap();
    for (who, action, expected) in [
        ("platform-admin", "publishVersion", Reason::Permission),
        ("author, app-review", "approveVersion", Reason::SeparationOfDuties),
        ("platform-admin", "approveVersion", Reason::Claim),
        ("workspace-admin", "publishVersion", Reason::State),
    ] {
        let Verdict::Refused { reason, .. } = verdict(&app, action, actor(who)) else {
            panic!("{who} may {action}");
        };
        assert_eq!(reason, expected, "{who} {action}");
    }
    assert_eq!(verdict(&app, "approveVersion", actor("app-review")), Verdict::Allowed);
    assert_eq!(verdict(&app, "startReview", actor("app-review")), Verdict::Done);
}

#[test]
fn whoever_lost_the_right_to_review_is_not_waited_for() {
    let app = in_review().state().unwrap();
    let people = everybody();
    let admin = people.iter().find(|actor| actor.name == "platform-admin").unwrap();
    let mut asker = asker(admin, noon());
    asker.panel = asker.panel.without(&app, |reviewer| reviewer != grace());
    let all = app.allowed_on(&first(), &asker);
    let start = all.iter().find(|allowed| allowed.action == "startReview").unwrap();
    assert_eq!(start.verdict, Verdict::Allowed);
    assert!(asker.stamp.at == noon());
}
