//! Allowed is what the command would be accepted for, whoever asks, wherever the app stands.

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
    app::{App, Asker, Command, Panel},
    decider::{Decider, Reject},
    permission::Permission,
    spec::{noon, stamp},
    version_number::VersionNumber,
};

fn asker(actor: &Actor) -> Asker<'_> {
    Asker {
        principal: &actor.principal,
        panel: Panel::of(&actor.principal),
        stamp: stamp(actor.principal.account),
    }
}

fn verdict(app: &App, action: &str, actor: &Actor) -> Verdict {
    let mut all = app.allowed(&asker(actor));
    all.extend(app.allowed_on(&first(), &asker(actor)));
    let found = all.into_iter().find(|allowed| allowed.action == action);
    found.unwrap_or_else(|| panic!("nothing is said of {action}")).verdict
}

/// The verdict as the code a client would get, empty if the command is accepted.
fn code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed | Verdict::Done => "",
        Verdict::Refused { code, .. } => code,
    }
}

/// What comes of commands that clients could give, by the policy and the decider themselves.
fn outcome(app: &App, command: Command, actor: &Actor) -> &'static str {
    let permission = command.permission();
    if !actor.principal.may(permission, Place::of(permission, app.workspace)) {
        return "FORBIDDEN";
    }
    let command = command.given_by(Panel::of(&actor.principal));
    let decided = App::decide(&Some(app.clone()), command, stamp(actor.principal.account));
    decided.map_or_else(|rejection| rejection.code(), |_| "")
}

fn authority(actor: &Actor, permission: Permission) -> crate::app::Authority {
    crate::app::Authority::of(&actor.principal, permission)
}

/// The same actions with other inputs than the ones that verdicts are made of.
fn commands(app: &App, actor: &Actor) -> Vec<(&'static str, Command)> {
    let current = app.version(&first()).and_then(|version| version.stage.submission());
    let read = current.map_or_else(
        || seen(1),
        |current| crate::app::command::Seen {
            submission: current.id,
            package: current.package,
            listing: current.listing,
        },
    );
    vec![
        (
            "replacePackage",
            Command::ReplacePackage {
                version: first(),
                chart: redis(),
                number: first(),
                package: package(77),
            },
        ),
        ("submitVersion", submit(first(), 77)),
        ("withdrawVersion", Command::WithdrawVersion { version: first() }),
        ("startReview", start_review()),
        (
            "releaseReview",
            Command::ReleaseReview {
                version: first(),
                panel: panel(),
            },
        ),
        ("approveVersion", approve(read)),
        ("rejectVersion", reject(read)),
        ("publishVersion", publish(first())),
        (
            "suspendVersion",
            Command::SuspendVersion {
                version: first(),
                authority: authority(actor, Permission::StoreSuspend),
                reason: Some(reason()),
            },
        ),
        (
            "resumeVersion",
            Command::ResumeVersion {
                version: first(),
                authority: authority(actor, Permission::StoreResume),
            },
        ),
        ("deleteVersion", Command::DeleteVersion { version: first() }),
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
    ]
}

#[test]
fn what_is_allowed_is_accepted_and_what_is_not_is_refused_with_the_same_code() {
    for actor in everybody() {
        for situation in every_situation() {
            let Some(app) = situation.app else { continue };
            for (action, command) in commands(&app, &actor) {
                let said = code(&verdict(&app, action, &actor));
                let found = outcome(&app, command, &actor);
                assert_eq!(said, found, "{} {action} where {}", actor.name, situation.title);
            }
        }
    }
}

proptest! {
    #[test]
    fn the_same_holds_wherever_random_lives_lead(run in any_run()) {
        if let Some(app) = &run.state {
            for actor in everybody() {
                let numbers: Vec<VersionNumber> = app.versions.keys().cloned().collect();
                for version in numbers {
                    for allowed in app.allowed_on(&version, &asker(&actor)) {
                        let publish = Command::PublishVersion { version: version.clone() };
                        if allowed.action == "publishVersion" {
                            prop_assert_eq!(code(&allowed.verdict), outcome(app, publish, &actor));
                        }
                    }
                }
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
    let mut asker = asker(admin);
    asker.panel = asker.panel.without(&app, |reviewer| reviewer != grace());
    let all = app.allowed_on(&first(), &asker);
    let start = all.iter().find(|allowed| allowed.action == "startReview").unwrap();
    assert_eq!(start.verdict, Verdict::Allowed);
    assert!(asker.stamp.at == noon());
}
