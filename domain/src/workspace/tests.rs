//! What belongs to a workspace, and when it closes.

use uuid::Uuid;

use super::{Command, Event, Rejection, Workspace};
use crate::{
    decider::Decider,
    ids::{AppId, ProjectId, ReleaseId},
    names::{ChartName, ReleaseName, WorkspaceName},
    spec::{Given, given, somebody, stamp},
};

fn name() -> WorkspaceName {
    "demo".parse().unwrap()
}

fn redis() -> ChartName {
    "redis".parse().unwrap()
}

fn cache() -> ReleaseName {
    "cache".parse().unwrap()
}

fn app(n: u128) -> AppId {
    AppId::from_uuid(Uuid::from_u128(n))
}

fn release() -> ReleaseId {
    ReleaseId::from_uuid(Uuid::from_u128(0xCA))
}

fn project() -> ProjectId {
    ProjectId::from_uuid(Uuid::from_u128(0x9))
}

fn created() -> Given<Workspace> {
    given([Event::WorkspaceCreated { name: name() }])
}

fn joined(n: u128) -> Event {
    Event::AppJoined {
        app: app(n),
        chart: redis(),
    }
}

fn installed() -> Event {
    Event::ReleaseJoined {
        release: release(),
        name: cache(),
    }
}

#[test]
fn a_workspace_is_created_once() {
    given::<Workspace>([])
        .when(Command::Create { name: name() })
        .then([Event::WorkspaceCreated { name: name() }]);
    created()
        .when(Command::Create { name: name() })
        .then_rejected(&Rejection::Exists);
}

#[test]
fn an_empty_workspace_is_closed_once() {
    created().when(Command::Close).then([Event::WorkspaceClosed {}]);
    created()
        .and(somebody(), [Event::WorkspaceClosed {}])
        .when(Command::Close)
        .then([]);
    given::<Workspace>([])
        .when(Command::Close)
        .then_rejected(&Rejection::NotFound);
}

#[test]
fn a_workspace_that_owns_an_app_or_a_release_is_not_closed_and_says_what_is_in_the_way() {
    let who = somebody();
    let rejection = Rejection::NotEmpty {
        apps: vec![redis()],
        releases: vec![cache()],
    };
    created()
        .and(who, [joined(1), installed()])
        .when(Command::Close)
        .then_rejected(&rejection);
    assert_eq!(
        rejection.to_string(),
        "the workspace still owns 1 apps (redis) and 1 releases (cache)"
    );
    let left = [
        Event::AppLeft { app: app(1) },
        Event::ReleaseLeft { release: release() },
    ];
    created()
        .and(who, [joined(1), installed()])
        .and(who, left)
        .when(Command::Close)
        .then([Event::WorkspaceClosed {}]);
}

#[test]
fn a_closed_workspace_takes_nothing_any_more() {
    let closed = created().and(somebody(), [Event::WorkspaceClosed {}]);
    let name = "prod".parse().unwrap();
    for command in [
        Command::AddApp {
            app: app(1),
            chart: redis(),
        },
        Command::AddProject {
            project: project(),
            name,
        },
        Command::AddRelease {
            release: release(),
            name: cache(),
        },
    ] {
        closed.clone().when(command).then_rejected(&Rejection::NotFound);
    }
}

#[test]
fn what_joins_or_leaves_twice_is_recorded_once() {
    let who = somebody();
    let add = || Command::AddApp {
        app: app(1),
        chart: redis(),
    };
    created().when(add()).then([joined(1)]);
    created().and(who, [joined(1)]).when(add()).then([]);
    created()
        .and(who, [joined(1)])
        .when(Command::RemoveApp { app: app(1) })
        .then([Event::AppLeft { app: app(1) }]);
    created().when(Command::RemoveApp { app: app(1) }).then([]);
    created().when(Command::RemoveRelease { release: release() }).then([]);
}

#[test]
fn a_refusal_names_the_first_few_of_many() {
    let who = somebody();
    let many = created().and(who, (0..12).map(joined)).state();
    let refused = Workspace::decide(&many, Command::Close, stamp(who)).unwrap_err();
    let said = refused.to_string();
    assert!(
        said.starts_with("the workspace still owns 12 apps (redis, ") && said.ends_with(", …)"),
        "{said}"
    );
}
