//! Every command, at every stage, by everybody: one table, checked in as `docs/version-life.md`.
//!
//! `CHARTHOUSE_BLESS=1 cargo test -p charthouse-domain version_life` writes the document anew; its diff is then what a
//! reviewer reads.

pub(super) mod actors;
pub(in crate::app) mod commands;
mod document;
pub(super) mod situations;

use std::{fs, path::Path};

use self::{
    actors::{Actor, columns, everybody, reviewer_with_everything},
    commands::every_command,
    situations::{AUTHORS_MAY_REVIEW, Situation, every_situation},
};
use super::fixtures::*;
use crate::{
    access::Place,
    app::{Action, App, Command, Panel, Stage},
    decider::{Decider, Reject},
    event::StoredEvent,
    permission::Permission,
    spec::stamp,
};

/// What comes of it when somebody gives a command.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// No role of theirs holds the permission.
    Denied,
    /// It is so already.
    Nothing,
    Events(Vec<String>),
    Rejected(&'static str),
}

impl Outcome {
    /// As on the command path: first whether they may at all, then whether it can be.
    fn of(actor: &Actor, situation: &Situation, command: &Command) -> Self {
        let permission = command.permission();
        let place = Place::of(permission, workspace());
        if actor.principal.authorize(permission, place).is_err() {
            return Self::Denied;
        }
        let stamp = stamp(actor.principal.account);
        let command = command.clone().given_by(Panel::of(&actor.principal));
        match App::decide(&situation.app, command, stamp) {
            Err(rejection) => Self::Rejected(rejection.code()),
            Ok(events) if events.is_empty() => Self::Nothing,
            Ok(events) => Self::Events(events.iter().map(|event| event.store().unwrap().name).collect()),
        }
    }

    fn records(&self, name: &str) -> bool {
        matches!(self, Self::Events(names) if names.iter().any(|found| found == name))
    }
}

fn every_cell() -> impl Iterator<Item = (Actor, Situation, Command, Outcome)> {
    everybody().into_iter().flat_map(|actor| {
        every_situation().into_iter().flat_map(move |situation| {
            let actor = actor.clone();
            every_command().into_iter().map(move |(_, command)| {
                let outcome = Outcome::of(&actor, &situation, &command);
                (actor.clone(), situation.clone(), command, outcome)
            })
        })
    })
}

#[test]
fn the_document_says_what_the_program_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/version-life.md");
    let expected = document::document();
    if std::env::var_os("CHARTHOUSE_BLESS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    for (line, (expected, found)) in expected.lines().zip(found.lines()).enumerate() {
        assert_eq!(expected, found, "docs/version-life.md:{}", line + 1);
    }
    assert_eq!(expected.len(), found.len(), "docs/version-life.md is longer or shorter");
}

#[test]
fn whoever_holds_everything_can_do_at_a_stage_exactly_what_its_table_says() {
    let reviewer = reviewer_with_everything();
    for situation in every_situation() {
        let Some(version) = situation.app.as_ref().and_then(|app| app.version(&first())) else {
            continue;
        };
        for (_, command) in every_command() {
            let Some(action) = action(&command) else { continue };
            let outcome = Outcome::of(&reviewer, &situation, &command);
            let wrong_state = outcome == Outcome::Rejected("WRONG_STATE");
            let what = format!(
                "{} of a version that is {}: {outcome:?}",
                action.as_str(),
                situation.title
            );
            if version.stage.may(action) {
                assert!(!wrong_state, "{what}");
            } else {
                assert!(
                    wrong_state || outcome == Outcome::Nothing || is_take_over(action, &version.stage),
                    "{what}"
                );
            }
        }
    }
}

/// The store may suspend once more what the owner suspended: nothing moves, only who may resume it.
fn is_take_over(action: Action, stage: &Stage) -> bool {
    action == Action::Suspend && matches!(stage, Stage::Suspended { .. })
}

#[test]
fn every_event_takes_the_permission_that_is_made_for_it() {
    let needed: &[(&str, &[Permission])] = &[
        ("AppUploaded", &[Permission::AppUpload]),
        ("VersionUploaded", &[Permission::AppUpload, Permission::VersionUpload]),
        ("PackageReplaced", &[Permission::PackageReplace]),
        ("ListingEdited", &[Permission::ListingEdit]),
        ("IconSet", &[Permission::ListingEdit]),
        (
            "CategoryAssigned",
            &[Permission::AppCategorise, Permission::CategoryAssign],
        ),
        ("VersionSubmitted", &[Permission::VersionSubmit]),
        ("VersionWithdrawn", &[Permission::VersionWithdraw]),
        ("ReviewStarted", &[Permission::ReviewStart]),
        ("ReviewReleased", &[Permission::ReviewStart]),
        ("ApprovalGiven", &[Permission::ReviewApprove]),
        ("VersionApproved", &[Permission::ReviewApprove]),
        ("VersionRejected", &[Permission::ReviewReject]),
        ("PublishedToStore", &[Permission::VersionPublish]),
        ("ListingSubmitted", &[Permission::ListingSubmit]),
        (
            "ListingWithdrawn",
            &[Permission::ListingWithdraw, Permission::VersionPublish],
        ),
        ("ListingReviewStarted", &[Permission::ReviewStart]),
        ("ListingReviewReleased", &[Permission::ReviewStart]),
        ("ListingApprovalGiven", &[Permission::ReviewApprove]),
        ("ListingApproved", &[Permission::ReviewApprove]),
        ("ListingRejected", &[Permission::ReviewReject]),
        (
            "Suspended",
            &[
                Permission::VersionSuspend,
                Permission::AppSuspend,
                Permission::StoreSuspend,
            ],
        ),
        (
            "Resumed",
            &[
                Permission::VersionResume,
                Permission::AppResume,
                Permission::StoreResume,
            ],
        ),
        ("AppMoved", &[Permission::AppMove]),
        ("VersionDeleted", &[Permission::VersionDelete]),
        ("AppDeleted", &[Permission::AppDelete]),
    ];
    let mut met = Vec::new();
    for (actor, situation, command, outcome) in every_cell() {
        let Outcome::Events(names) = outcome else { continue };
        for name in names {
            let permissions = needed.iter().find(|(event, _)| *event == name).unwrap().1;
            let holds = |p: &Permission| actor.principal.may(*p, Place::of(*p, workspace()));
            assert!(
                permissions.iter().any(holds),
                "{} records {name} by {command:?} where {}",
                actor.name,
                situation.title
            );
            met.push(name);
        }
    }
    for (name, _) in needed {
        assert!(met.iter().any(|found| found == name), "nobody ever records {name}");
    }
}

#[test]
fn the_author_decides_nothing_about_his_own_work_whatever_roles_he_holds() {
    for (actor, situation, command, outcome) in every_cell() {
        if actor.principal.account != ada() || situation.title == AUTHORS_MAY_REVIEW {
            continue;
        }
        for decision in [
            "ReviewStarted",
            "ApprovalGiven",
            "VersionApproved",
            "VersionRejected",
            "ListingReviewStarted",
            "ListingApprovalGiven",
            "ListingApproved",
            "ListingRejected",
        ] {
            assert!(!outcome.records(decision), "{}: {command:?}", situation.title);
        }
    }
}

#[test]
fn only_an_approved_version_of_an_app_that_is_not_suspended_is_published() {
    for (_, situation, _, outcome) in every_cell() {
        if outcome.records("PublishedToStore") {
            let app = situation.app.unwrap();
            assert!(matches!(app.versions[&first()].stage, Stage::Approved { .. }));
            assert_eq!(app.suspended, None);
        }
    }
}

#[test]
fn outside_their_workspace_and_without_a_role_people_can_do_nothing() {
    for (actor, situation, command, outcome) in every_cell() {
        if ["nobody", "workspace-admin elsewhere"].contains(&actor.name) {
            assert_eq!(outcome, Outcome::Denied, "{}: {command:?}", situation.title);
        }
    }
}

#[test]
fn whoever_has_no_column_can_do_nothing_anywhere() {
    let shown: Vec<_> = columns().into_iter().map(|actor| actor.name).collect();
    for (actor, situation, command, outcome) in every_cell() {
        if !shown.contains(&actor.name) {
            assert_eq!(
                outcome,
                Outcome::Denied,
                "{} {}: {command:?}",
                actor.name,
                situation.title
            );
        }
    }
}

/// The step of a version's life that a command asks for; none if it is about the app or its listing, or makes a version.
const fn action(command: &Command) -> Option<Action> {
    match command {
        Command::ReplacePackage { .. } => Some(Action::ReplacePackage),
        Command::SubmitVersion { .. } => Some(Action::Submit),
        Command::WithdrawVersion { .. } => Some(Action::Withdraw),
        Command::StartReview { .. } => Some(Action::StartReview),
        Command::ReleaseReview { .. } => Some(Action::ReleaseReview),
        Command::ApproveVersion { .. } => Some(Action::Approve),
        Command::RejectVersion { .. } => Some(Action::Reject),
        Command::PublishVersion { .. } => Some(Action::Publish),
        Command::SuspendVersion { .. } => Some(Action::Suspend),
        Command::ResumeVersion { .. } => Some(Action::Resume),
        Command::DeleteVersion { .. } => Some(Action::Delete),
        Command::Upload { .. }
        | Command::UploadVersion { .. }
        | Command::EditListing { .. }
        | Command::SetIcon { .. }
        | Command::AssignCategory { .. }
        | Command::SubmitListing { .. }
        | Command::WithdrawListing
        | Command::StartListingReview { .. }
        | Command::ReleaseListingReview { .. }
        | Command::ApproveListing { .. }
        | Command::RejectListing { .. }
        | Command::SuspendApp { .. }
        | Command::ResumeApp { .. }
        | Command::MoveApp { .. }
        | Command::DeleteApp => None,
    }
}
