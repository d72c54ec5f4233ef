//! The policy as tables, checked in as `docs/permissions.md`: every role, everything it allows, and who gives it.
//!
//! `CHARTHOUSE_BLESS=1 cargo test -p charthouse-domain permissions` writes the document anew.

use std::{collections::BTreeSet, fs, path::Path};

use uuid::Uuid;

use crate::{
    access::{AppVisibility, Place, Principal, Roles, StageVisibility},
    account::Scope,
    app::every_app_command,
    granting::Gift,
    ids::{AccountId, ProjectId, WorkspaceId},
    names::RoleName,
    permission::{Level, Permission},
    role::{BUILT_IN, RoleKey, bundle},
};

const INTRODUCTION: &str = "\
# Who may do what

What the policy answers, for every role and everything that can be done. A test computes this file by asking the policy and
fails when they differ; `CHARTHOUSE_BLESS=1 cargo test -p charthouse-domain permissions` writes it anew. Do not edit it.

A role allows something in the place where it is granted: on the platform, in a workspace with its projects, or in one
project. A role on the platform allows nothing inside a workspace, a role in one workspace nothing in another. `app-review`
is the custom role made of the bundles app store management and app store view; the others are built in. The published store
is open to everybody who is signed in.

A token that is narrowed to permissions allows what both it and the roles of its account do. What an account may do
because it is who it is (make tokens, set its password, close its sessions, take and leave roles) such a token may not
do for it.

`yes`: allowed in the own place. `-`: not allowed.
";

/// A role, held by somebody in its own place.
struct Column {
    name: &'static str,
    principal: Principal,
}

fn workspace() -> WorkspaceId {
    WorkspaceId::from_uuid(Uuid::from_u128(0xA))
}

fn project() -> ProjectId {
    ProjectId::from_uuid(Uuid::from_u128(0xB))
}

fn account() -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(0xC))
}

const APP_REVIEW: &str = "app-review";

fn roles() -> Roles {
    let bundles = ["app-store-management", "app-store-view"];
    let permissions = bundles.into_iter().filter_map(bundle).flatten().copied().collect();
    let key = RoleKey {
        workspace: None,
        name: APP_REVIEW.parse().unwrap(),
    };
    Roles {
        custom: [(key, permissions)].into(),
        workspaces: [(project(), workspace())].into(),
        ..Roles::default()
    }
}

fn columns() -> Vec<Column> {
    let built_in = BUILT_IN.iter().map(|role| (role.name, role.level));
    let all = built_in.chain([(APP_REVIEW, Level::Platform)]);
    all.map(|(name, level)| Column {
        name,
        principal: holder(name, scope(level)),
    })
    .collect()
}

fn holder(role: &str, scope: Scope) -> Principal {
    Principal::resolve(account(), [(role.parse().unwrap(), scope)], &roles())
}

fn scope(level: Level) -> Scope {
    match level {
        Level::Platform => Scope::Platform {},
        Level::Workspace => Scope::Workspace { workspace: workspace() },
        Level::Project => Scope::Project { project: project() },
    }
}

fn place(level: Level) -> Place {
    match level {
        Level::Platform => Place::Platform,
        Level::Workspace => Place::Workspace(workspace()),
        Level::Project => Place::Project {
            project: project(),
            workspace: workspace(),
        },
    }
}

fn document() -> String {
    let mut text = INTRODUCTION.to_owned();
    for (level, title) in [
        (Level::Platform, "On the platform"),
        (Level::Workspace, "In a workspace"),
        (Level::Project, "In a project"),
    ] {
        text.push_str(&format!("\n## {title}\n\n{}", permissions_at(level)));
    }
    text.push_str("\n## What is asked for when something is done to an app\n\n");
    text.push_str(
        "`(owner)` is given in the name of the workspace that owns the app, `(store)` in the name of the store.\n\n",
    );
    text.push_str(&app_commands());
    text.push_str("\n## Who knows of an app\n\n");
    text.push_str("Whoever does not is answered as if there were none.\n\n");
    text.push_str(&visibility());
    text.push_str("\n## Who gives which role\n\n");
    text.push_str(
        "Rows give, or take away, what the columns are called, in their own place and to somebody else. Nobody gives more \
         than\nthey hold; whoever manages workspaces appoints administrators of workspaces.\n\n",
    );
    text.push_str(&giving());
    text
}

fn permissions_at(level: Level) -> String {
    let mut rows = vec![header("permission")];
    for permission in Permission::ALL.iter().filter(|permission| permission.level() == level) {
        rows.push(row(permission.as_str(), |column| {
            column.principal.may(*permission, place(level))
        }));
    }
    table(&rows)
}

fn app_commands() -> String {
    let mut rows = vec![header("command")];
    for (name, command) in every_app_command() {
        let permission = command.permission();
        let place = Place::of(permission, workspace());
        let name = format!("{name}: {permission}");
        rows.push(row(&name, |column| column.principal.may(permission, place)));
    }
    table(&rows)
}

fn visibility() -> String {
    let app = |in_store, handed_in| AppVisibility {
        workspace: workspace(),
        in_store,
        handed_in,
    };
    let (own, handed_in, in_store) = (app(false, false), app(false, true), app(true, true));
    let mut rows = vec![header("what there is")];
    for (name, app) in [
        ("app in development", own),
        ("app handed in once", handed_in),
        ("app in the store", in_store),
    ] {
        rows.push(row(name, |column| column.principal.sees_app(&app)));
    }
    for (name, stage) in [
        ("its drafts", StageVisibility::Own),
        (
            "its versions under review, suspended or rejected",
            StageVisibility::HandedIn,
        ),
        ("its published versions", StageVisibility::InStore),
    ] {
        rows.push(row(name, |column| column.principal.sees_version(&in_store, stage)));
    }
    table(&rows)
}

fn giving() -> String {
    let others = AccountId::from_uuid(Uuid::from_u128(0xD));
    let mut rows = vec![header("giver")];
    for giver in columns() {
        let gives = |column: &Column| {
            let role: RoleName = column.name.parse().unwrap();
            let scope = column.principal.grants[0].scope;
            let permissions: BTreeSet<_> = column.principal.grants[0].permissions.clone();
            let gift = Gift {
                role: &role,
                permissions: &permissions,
                place: place(scope.level()),
                holder: Some(others),
            };
            gift.may_be_given_by(&giver.principal).is_ok()
        };
        rows.push(row(giver.name, gives));
    }
    table(&rows)
}

fn header(first: &str) -> Vec<String> {
    let names = columns().into_iter().map(|column| column.name.to_owned());
    std::iter::once(first.to_owned()).chain(names).collect()
}

fn row(name: &str, allowed: impl Fn(&Column) -> bool) -> Vec<String> {
    let word = |column: &Column| if allowed(column) { "yes" } else { "-" }.to_owned();
    let cells: Vec<_> = columns().iter().map(word).collect();
    std::iter::once(name.to_owned()).chain(cells).collect()
}

/// A Markdown table whose columns line up, so that it reads as text too.
fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<_> = (0..rows[0].len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    let mut lines: Vec<_> = rows.iter().map(|row| line(row)).collect();
    let rule: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1, line(&rule));
    lines.concat()
}

#[test]
fn the_permissions_document_says_what_the_policy_answers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/permissions.md");
    let expected = document();
    if std::env::var_os("CHARTHOUSE_BLESS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    for (line, (expected, found)) in expected.lines().zip(found.lines()).enumerate() {
        assert_eq!(expected, found, "docs/permissions.md:{}", line + 1);
    }
    assert_eq!(expected.len(), found.len(), "docs/permissions.md is longer or shorter");
}

#[test]
fn whatever_a_role_allows_it_allows_in_its_own_place_only() {
    let elsewhere = WorkspaceId::from_uuid(Uuid::from_u128(0xE));
    let other_project = ProjectId::from_uuid(Uuid::from_u128(0xF));
    for column in columns() {
        for permission in Permission::ALL
            .iter()
            .filter(|permission| **permission != Permission::StoreView)
        {
            let inside = Place::Project {
                project: other_project,
                workspace: elsewhere,
            };
            assert!(
                !column.principal.may(*permission, inside),
                "{} {permission}",
                column.name
            );
            assert!(
                !column.principal.may(*permission, Place::Workspace(elsewhere)),
                "{} {permission}",
                column.name
            );
            let is_on_platform = matches!(column.principal.grants[0].scope, Scope::Platform {});
            let may_on_platform = column.principal.may(*permission, Place::Platform);
            assert!(is_on_platform || !may_on_platform, "{} {permission}", column.name);
        }
    }
}

#[test]
fn in_a_closed_workspace_no_role_allows_anything() {
    let closed = Roles {
        closed: [workspace()].into(),
        ..roles()
    };
    for (role, level) in [("workspace-admin", Level::Workspace), ("project-admin", Level::Project)] {
        let grant = (role.parse().unwrap(), scope(level));
        let principal = Principal::resolve(account(), [grant], &closed);
        for permission in Permission::ALL
            .iter()
            .filter(|permission| **permission != Permission::StoreView)
        {
            for place in [place(Level::Workspace), place(Level::Project)] {
                assert!(!principal.may(*permission, place), "{role} {permission}");
            }
        }
    }
}
