//! What a role may be made of, and how it ends.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Command, Event, Misplaced, Rejection, Role, RoleKey, belongs, bundle};
use crate::{
    ids::WorkspaceId,
    names::RoleName,
    permission::{Level, Permission as P},
    role::BuiltInRole,
    spec::given,
};

fn role(name: &str) -> RoleName {
    name.parse().unwrap()
}

fn acme() -> WorkspaceId {
    WorkspaceId::from_uuid(Uuid::from_u128(1))
}

fn platform(name: &str) -> RoleKey {
    RoleKey {
        workspace: None,
        name: role(name),
    }
}

fn of_acme(name: &str) -> RoleKey {
    RoleKey {
        workspace: Some(acme()),
        name: role(name),
    }
}

fn define(role: RoleKey, permissions: impl Into<BTreeSet<P>>) -> Command {
    Command::Define {
        role,
        permissions: permissions.into(),
    }
}

fn defined(role: RoleKey, permissions: impl Into<BTreeSet<P>>) -> Event {
    Event::RoleDefined {
        role: role.name,
        workspace: role.workspace,
        permissions: permissions.into(),
    }
}

fn retired(role: RoleKey) -> Event {
    Event::RoleRetired {
        role: role.name,
        workspace: role.workspace,
    }
}

#[test]
fn app_review_is_made_of_the_two_bundles_of_the_tutorial() {
    let permissions: BTreeSet<_> = ["app-store-management", "app-store-view"]
        .into_iter()
        .filter_map(bundle)
        .flatten()
        .copied()
        .collect();
    assert!(permissions.contains(&P::ReviewApprove) && permissions.contains(&P::StoreSuspend));
    given::<Role>([])
        .when(define(platform("app-review"), permissions.clone()))
        .then([defined(platform("app-review"), permissions)]);
}

#[test]
fn a_built_in_role_is_neither_redefined_nor_retired_also_not_in_a_workspace() {
    let rejected = Rejection::BuiltIn(role("auditor"));
    for key in [platform("auditor"), of_acme("auditor")] {
        given::<Role>([])
            .when(define(key.clone(), [P::StoreView]))
            .then_rejected(&rejected);
        given::<Role>([])
            .when(Command::Retire { role: key })
            .then_rejected(&rejected);
    }
}

#[test]
fn a_platform_role_holds_no_workspace_permission_and_a_workspace_role_no_platform_permission() {
    given::<Role>([])
        .when(define(platform("mixed"), [P::StoreView, P::AppUpload]))
        .then_rejected(&Rejection::NotForPlatform(P::AppUpload));
    given::<Role>([])
        .when(define(of_acme("mixed"), [P::AppUpload, P::AuditView]))
        .then_rejected(&Rejection::NotForWorkspace(P::AuditView));
}

#[test]
fn a_workspace_makes_roles_of_what_can_be_done_in_it_and_in_its_projects() {
    let permissions = [P::WorkspaceView, P::VersionPublish, P::ReleaseInstall];
    given::<Role>([])
        .when(define(of_acme("publisher"), permissions))
        .then([defined(of_acme("publisher"), permissions)]);
}

#[test]
fn a_role_without_permissions_is_refused() {
    given::<Role>([])
        .when(define(platform("none"), []))
        .then_rejected(&Rejection::Empty);
}

#[test]
fn defining_a_role_as_it_is_records_nothing_and_otherwise_edits_it() {
    let viewer = || given::<Role>([defined(platform("viewer"), [P::StoreView])]);
    viewer().when(define(platform("viewer"), [P::StoreView])).then([]);
    viewer()
        .when(define(platform("viewer"), [P::StoreView, P::ReviewView]))
        .then([defined(platform("viewer"), [P::StoreView, P::ReviewView])]);
}

#[test]
fn a_retired_role_allows_nothing_and_is_never_defined_again() {
    let gone = || given::<Role>([defined(of_acme("old"), [P::AppUpload]), retired(of_acme("old"))]);
    assert_eq!(gone().state().unwrap().permissions, BTreeSet::new());
    gone()
        .when(define(of_acme("old"), [P::AppUpload]))
        .then_rejected(&Rejection::Retired(role("old")));
    gone().when(Command::Retire { role: of_acme("old") }).then([]);
}

#[test]
fn a_role_is_retired_once_and_only_if_it_was_defined() {
    given::<Role>([defined(platform("old"), [P::StoreView])])
        .when(Command::Retire { role: platform("old") })
        .then([retired(platform("old"))]);
    given::<Role>([])
        .when(Command::Retire { role: platform("old") })
        .then_rejected(&Rejection::NotFound);
}

#[test]
fn the_roles_of_two_places_have_two_streams_and_a_stream_names_its_role() {
    let pretender = platform(&format!("{}-x", acme()));
    for key in [platform("x"), of_acme("x"), pretender.clone()] {
        assert_eq!(RoleKey::from_stream_key(&key.stream_key()), Some(key));
    }
    assert_ne!(of_acme("x").stream_key(), pretender.stream_key());
    for text in ["", "-", "-x", "-äöü", "Bad Name"] {
        assert_eq!(RoleKey::from_stream_key(text), None, "{text}");
    }
}

#[test]
fn uploading_does_not_imply_publishing() {
    let regular = BuiltInRole::named(&role("workspace-regular")).unwrap().permissions();
    assert!(regular.contains(&P::AppUpload) && !regular.contains(&P::VersionPublish));
}

#[test]
fn a_role_is_granted_where_it_belongs() {
    let wide = BTreeSet::from([P::WorkspaceView, P::ReleaseView]);
    let narrow = BTreeSet::from([P::ReleaseView]);
    assert_eq!(belongs(&role("operators"), &wide, Level::Workspace), Ok(()));
    assert_eq!(belongs(&role("operators"), &narrow, Level::Project), Ok(()));
    assert_eq!(
        belongs(&role("operators"), &wide, Level::Project),
        Err(Misplaced::Permission {
            role: role("operators"),
            permission: P::WorkspaceView
        })
    );
    assert_eq!(
        belongs(&role("workspace-admin"), &narrow, Level::Platform),
        Err(Misplaced::Level {
            role: role("workspace-admin"),
            expected: Level::Workspace,
            found: Level::Platform
        })
    );
}
