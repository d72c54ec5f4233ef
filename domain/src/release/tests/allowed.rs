//! Allowed is what the command would be accepted for, whoever asks, wherever the release stands.

use proptest::prelude::*;
use uuid::Uuid;

use super::{fixtures::*, properties::any_life};
use crate::{
    access::{Place, Principal, Roles},
    account::Scope,
    allowed::Verdict,
    decider::{Decider, Reject, Stamp},
    ids::{AccountId, ProjectId, WorkspaceId},
    permission::Level,
    release::{Command, Release},
    role::BUILT_IN,
};

fn workspace() -> WorkspaceId {
    WorkspaceId::from_uuid(Uuid::from_u128(0x70))
}

fn project() -> ProjectId {
    ProjectId::from_uuid(Uuid::from_u128(0x71))
}

/// Everybody who holds a built-in role, in the place it is for.
fn everybody() -> Vec<Principal> {
    let roles = Roles {
        workspaces: [(project(), workspace())].into(),
        ..Roles::default()
    };
    let holder = |(n, role): (u128, &crate::role::BuiltInRole)| {
        let scope = match role.level {
            Level::Platform => Scope::Platform {},
            Level::Workspace => Scope::Workspace { workspace: workspace() },
            Level::Project => Scope::Project { project: project() },
        };
        let granted = [(role.name.parse().unwrap(), scope)];
        Principal::resolve(AccountId::from_uuid(Uuid::from_u128(n)), granted, &roles)
    };
    (0x200..).zip(BUILT_IN).map(holder).collect()
}

/// What comes of a command, by the policy and the decider themselves.
fn outcome(state: &Option<Release>, command: Command, who: &Principal, place: Place, stamp: Stamp) -> &'static str {
    let permission = command.permission(state.as_ref()).expect("users need a permission");
    if !who.may(permission, place) {
        return "FORBIDDEN";
    }
    match Release::decide(state, command, stamp) {
        Ok(events) if events.is_empty() => "done before",
        Ok(_) => "done",
        Err(rejection) => rejection.code(),
    }
}

fn said(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed => "done",
        Verdict::Done => "done before",
        Verdict::Refused { code, .. } => code,
    }
}

proptest! {
    #[test]
    fn what_is_said_of_a_release_is_what_happens_wherever_random_lives_lead(life in any_life()) {
        let (state, stamp) = life;
        let place = Place::Project { project: project(), workspace: workspace() };
        for who in everybody() {
            for allowed in Release::allowed(&state, &who, place, stamp) {
                let command = match allowed.action {
                    "upgradeRelease" => upgrade(reconfigured("77.0.0")),
                    "rollbackRelease" => continue, // to which revision is in its input
                    "retryOperation" => Command::Retry,
                    "cancelOperation" => Command::Cancel,
                    "uninstallRelease" => uninstall(),
                    other => panic!("the test does not know {other}"),
                };
                let found = outcome(&state, command, &who, place, stamp);
                prop_assert_eq!(said(&allowed.verdict), found, "{:?} {}", who.grants, allowed.action);
            }
        }
    }
}
