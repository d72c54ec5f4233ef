//! Who might try: every built-in role, the reviewer's custom role, the author who holds it too, and nobody.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    access::{Principal, Roles},
    account::Scope,
    app::tests::fixtures::*,
    ids::{AccountId, ProjectId},
    names::RoleName,
    permission::Level,
    role::{BUILT_IN, RoleKey, bundle},
};

#[derive(Clone)]
pub(in crate::app::tests) struct Actor {
    pub name: &'static str,
    pub principal: Principal,
}

const APP_REVIEW: &str = "app-review";

/// Those who can do something, in the order of the document's columns.
pub(in crate::app::tests) fn columns() -> Vec<Actor> {
    vec![
        actor(APP_REVIEW, grace(), [(APP_REVIEW, Level::Platform)]),
        actor("platform-admin", rita(), [("platform-admin", Level::Platform)]),
        actor(
            "author, app-review",
            ada(),
            [("workspace-regular", Level::Workspace), (APP_REVIEW, Level::Platform)],
        ),
        actor(
            "workspace-regular",
            account(0x101),
            [("workspace-regular", Level::Workspace)],
        ),
        actor(
            "workspace-admin",
            account(0x102),
            [("workspace-admin", Level::Workspace)],
        ),
    ]
}

/// The columns, all other built-in roles, a workspace's administrator next door, and nobody.
pub(in crate::app::tests) fn everybody() -> Vec<Actor> {
    let mut everybody = columns();
    for (role, n) in BUILT_IN.iter().zip(0x200..) {
        if everybody.iter().all(|actor| actor.name != role.name) {
            everybody.push(actor(role.name, account(n), [(role.name, role.level)]));
        }
    }
    let next_door = Scope::Workspace { workspace: elsewhere() };
    everybody.push(Actor {
        name: "workspace-admin elsewhere",
        principal: resolve(account(0x300), [(role("workspace-admin"), next_door)]),
    });
    everybody.push(actor("nobody", account(0x301), []));
    everybody
}

/// Grace, who holds the claims of the situations, wrote nothing, and may do everything.
pub(in crate::app::tests) fn reviewer_with_everything() -> Actor {
    actor(
        "everything",
        grace(),
        [
            ("platform-admin", Level::Platform),
            ("workspace-admin", Level::Workspace),
        ],
    )
}

fn actor<const N: usize>(name: &'static str, account: AccountId, roles: [(&str, Level); N]) -> Actor {
    let granted = roles.map(|(name, level)| (role(name), scope(level)));
    Actor {
        name,
        principal: resolve(account, granted),
    }
}

fn resolve<const N: usize>(account: AccountId, granted: [(RoleName, Scope); N]) -> Principal {
    Principal::resolve(account, granted, &custom_roles())
}

fn custom_roles() -> Roles {
    let bundles = ["app-store-management", "app-store-view"];
    let permissions = bundles.into_iter().filter_map(bundle).flatten().copied().collect();
    let key = RoleKey {
        workspace: None,
        name: role(APP_REVIEW),
    };
    Roles {
        custom: BTreeMap::from([(key, permissions)]),
        ..Roles::default()
    }
}

fn scope(level: Level) -> Scope {
    match level {
        Level::Platform => Scope::Platform {},
        Level::Workspace => Scope::Workspace { workspace: workspace() },
        Level::Project => Scope::Project {
            project: ProjectId::from_uuid(Uuid::from_u128(0x777)),
        },
    }
}

fn role(name: &str) -> RoleName {
    name.parse().unwrap()
}
