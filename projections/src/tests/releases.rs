use domain::release::{Cause, Deployment, Event, FailureReason, OperationKind, Status};

use super::world::*;
use crate::releases::{self, Of, Outcome};

fn deployment(version: &str, package: u8, values: Option<u8>) -> Deployment {
    Deployment {
        version: number(version),
        digest: digest(package),
        values: values.map(sealed),
    }
}

async fn create_project(world: &mut World) {
    let created = domain::project::Event::ProjectCreated {
        workspace: workspace(1),
        name: "shop".parse().unwrap(),
        cluster: cluster(1),
        namespace: "shop".parse().unwrap(),
    };
    world.record(AUTHOR, &format!("project-{}", project(1)), &created).await;
}

async fn request(world: &mut World, id: u128, name: &str) -> u64 {
    let name = name.parse().unwrap();
    let deployment = deployment("1.0.0", 1, None);
    world
        .release(
            AUTHOR,
            id,
            Event::InstallRequested {
                app: app(1),
                project: project(1),
                name,
                deployment,
            },
        )
        .await
}

async fn start(world: &mut World, operation: OperationKind, run: u128) {
    world
        .release(
            3,
            1,
            Event::OperationStarted {
                operation,
                attempt: attempt(run),
                worker: None,
            },
        )
        .await;
}

async fn release(world: &World) -> releases::Release {
    world
        .ask(|conn| releases::release(conn, super::world::release(1)))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_release_tells_what_is_wanted_from_what_runs() {
    let mut world = World::new().await;
    create_project(&mut world).await;
    request(&mut world, 1, "cache").await;
    let asked = release(&world).await;
    assert_eq!(
        (asked.status(), asked.workspace, asked.observed),
        (Status::Creating, Some(workspace(1)), None)
    );
    let operation = asked.operation.unwrap();
    assert_eq!((operation.kind, operation.attempt), (OperationKind::Install, None));

    start(&mut world, OperationKind::Install, 1).await;
    let (version, digest, manifest, output) = (number("1.0.0"), digest(1), sealed(2), sealed(3));
    let installed = Event::ReleaseInstalled {
        attempt: attempt(1),
        version,
        digest,
        manifest,
        output,
    };
    world.release(3, 1, installed).await;
    let runs = release(&world).await;
    assert_eq!((runs.status(), runs.revision), (Status::Running, 1));
    assert_eq!(runs.observed, Some(deployment("1.0.0", 1, None)));

    world
        .release(
            2,
            1,
            Event::UpgradeRequested {
                deployment: deployment("2.0.0", 4, None),
            },
        )
        .await;
    let upgrading = release(&world).await;
    assert_eq!(upgrading.status(), Status::Upgrading);
    assert_eq!(
        (upgrading.wanted.version, upgrading.observed.unwrap().version),
        (number("2.0.0"), number("1.0.0"))
    );
    assert_eq!(upgrading.requested.by, Some(account(2)));
}

#[tokio::test]
async fn every_revision_has_its_cause_and_every_attempt_its_end() {
    let mut world = World::new().await;
    create_project(&mut world).await;
    request(&mut world, 1, "cache").await;
    start(&mut world, OperationKind::Install, 1).await;
    let (operation, reason, output) = (OperationKind::Install, FailureReason::HelmTimeout, sealed(9));
    let failed = Event::OperationFailed {
        operation,
        attempt: attempt(1),
        reason,
        output,
    };
    world.release(3, 1, failed).await;
    assert_eq!(release(&world).await.status(), Status::Failed);

    for (run, (version, package, values)) in [("1.0.0", 1, Some(7)), ("1.0.0", 1, None), ("2.0.0", 2, None)]
        .into_iter()
        .enumerate()
    {
        let run = run as u128 + 2;
        world
            .release(
                AUTHOR,
                1,
                Event::UpgradeRequested {
                    deployment: deployment(version, package, values),
                },
            )
            .await;
        start(&mut world, OperationKind::Upgrade, run).await;
        let (version, digest, manifest, output) = (number(version), digest(package), sealed(2), sealed(3));
        let upgraded = Event::ReleaseUpgraded {
            attempt: attempt(run),
            version,
            digest,
            manifest,
            output,
        };
        world.release(3, 1, upgraded).await;
    }

    let page = world
        .ask(|conn| releases::revisions(conn, super::world::release(1), &first(10)))
        .await;
    let causes: Vec<_> = page
        .items
        .iter()
        .map(|item| (item.row.revision, item.row.cause))
        .collect();
    assert_eq!(
        causes,
        [(3, Cause::Upgrade), (2, Cause::Reconfigure), (1, Cause::Install)]
    );
    assert_eq!(page.items[2].row.deployment.values, Some(sealed(7)));
    assert_eq!(page.items[0].row.requested.by, Some(account(AUTHOR)));
    assert_eq!(page.items[0].row.observed.by, Some(account(3)));

    let page = world
        .ask(|conn| releases::attempts(conn, super::world::release(1), &first(10)))
        .await;
    let ends: Vec<_> = page.items.iter().map(|item| item.row.ended.as_ref().unwrap()).collect();
    assert_eq!(ends.len(), 4);
    assert_eq!(
        (ends[0].outcome, &ends[0].manifest),
        (Outcome::Succeeded, &Some(sealed(2)))
    );
    assert_eq!(ends[3].outcome, Outcome::Failed(FailureReason::HelmTimeout));
    assert_eq!((&ends[3].output, &ends[3].manifest), (&sealed(9), &None));
    let stored = world.ask(|conn| releases::attempt(conn, attempt(1))).await.unwrap();
    assert_eq!(stored.operation, OperationKind::Install);
}

#[tokio::test]
async fn what_is_under_way_is_listed_with_its_attempt_until_it_ends() {
    let mut world = World::new().await;
    create_project(&mut world).await;
    request(&mut world, 1, "cache").await;
    request(&mut world, 2, "queue").await;
    start(&mut world, OperationKind::Install, 1).await;
    let under_way = world.ask(releases::in_flight).await;
    let attempts: Vec<_> = under_way
        .iter()
        .map(|release| release.operation.unwrap().attempt.map(|attempt| attempt.id))
        .collect();
    assert_eq!(attempts, [Some(attempt(1)), None]);

    let (operation, reason, output) = (OperationKind::Install, FailureReason::HelmFailed, sealed(9));
    world
        .release(
            3,
            1,
            Event::OperationFailed {
                operation,
                attempt: attempt(1),
                reason,
                output,
            },
        )
        .await;
    let under_way = world.ask(releases::in_flight).await;
    assert_eq!(
        under_way.iter().map(|release| release.id).collect::<Vec<_>>(),
        [super::world::release(2)]
    );
}

#[tokio::test]
async fn releases_are_listed_by_project_workspace_and_app_until_they_are_uninstalled() {
    let mut world = World::new().await;
    create_project(&mut world).await;
    request(&mut world, 1, "cache").await;
    request(&mut world, 2, "queue").await;
    for of in [Of::Project(project(1)), Of::Workspace(workspace(1)), Of::App(app(1))] {
        let page = world.ask(move |conn| releases::list(conn, of, &first(10))).await;
        let names: Vec<_> = page.items.iter().map(|item| item.row.name.as_str()).collect();
        assert_eq!(names, ["queue", "cache"], "{of:?}");
    }
    let none = world
        .ask(|conn| releases::list(conn, Of::Workspace(workspace(2)), &first(10)))
        .await;
    assert!(none.items.is_empty());

    world
        .release(AUTHOR, 1, Event::UninstallRequested { forced: false })
        .await;
    start(&mut world, OperationKind::Uninstall, 5).await;
    world
        .release(
            3,
            1,
            Event::ReleaseUninstalled {
                attempt: attempt(5),
                output: sealed(1),
                remains: Some(sealed(8)),
            },
        )
        .await;
    let left = world
        .ask(|conn| releases::list(conn, Of::Project(project(1)), &first(10)))
        .await;
    assert_eq!(left.items.len(), 1);
    assert_eq!(release(&world).await.status(), Status::Uninstalled);
    let removed = world.ask(|conn| releases::attempt(conn, attempt(5))).await.unwrap();
    assert_eq!(removed.ended.unwrap().remains, Some(sealed(8)));
}

async fn upgrade(world: &mut World, id: u128, run: u128, deployment: Deployment) {
    let (version, digest) = (deployment.version.clone(), deployment.digest);
    let upgraded = Event::ReleaseUpgraded {
        attempt: attempt(run),
        version,
        digest,
        manifest: sealed(2),
        output: sealed(3),
    };
    world.release(AUTHOR, id, Event::UpgradeRequested { deployment }).await;
    world.release(3, id, upgraded).await;
}

#[tokio::test]
async fn a_rollback_is_a_revision_that_says_what_it_went_back_to() {
    let mut world = World::new().await;
    create_project(&mut world).await;
    request(&mut world, 1, "cache").await;
    upgrade(&mut world, 1, 1, deployment("1.0.0", 1, Some(7))).await;
    upgrade(&mut world, 1, 2, deployment("2.0.0", 2, None)).await;
    let back = deployment("1.0.0", 1, Some(7));
    let asked = Event::RollbackRequested {
        revision: 1,
        deployment: back.clone(),
    };
    world.release(2, 1, asked).await;
    assert_eq!(release(&world).await.status(), Status::RollingBack);
    let (version, digest, manifest, output) = (number("1.0.0"), digest(1), sealed(2), sealed(3));
    let done = Event::ReleaseUpgraded {
        attempt: attempt(3),
        version,
        digest,
        manifest,
        output,
    };
    world.release(3, 1, done).await;
    let last = world
        .ask(|conn| releases::revision(conn, super::world::release(1), 3))
        .await
        .unwrap();
    assert_eq!((last.cause, last.deployment), (Cause::Rollback { to: 1 }, back));
    assert_eq!(last.requested.by, Some(account(2)));
}

#[tokio::test]
async fn a_cancelled_attempt_says_so_and_the_release_waits_for_what_comes_next() {
    let mut world = World::new().await;
    create_project(&mut world).await;
    request(&mut world, 1, "cache").await;
    start(&mut world, OperationKind::Install, 1).await;
    world.release(AUTHOR, 1, Event::CancellationRequested {}).await;
    assert!(release(&world).await.operation.unwrap().cancelling);
    let cancelled = Event::OperationCancelled {
        operation: OperationKind::Install,
        attempt: Some(attempt(1)),
        output: Some(sealed(4)),
    };
    world.release(3, 1, cancelled).await;
    let ended = world.ask(|conn| releases::attempt(conn, attempt(1))).await.unwrap();
    assert_eq!(ended.ended.unwrap().outcome, Outcome::Cancelled);
    let now = release(&world).await;
    assert_eq!((now.status(), now.failure.unwrap().reason), (Status::Failed, None));
}

#[tokio::test]
async fn the_releases_of_a_version_are_those_that_run_it_and_those_that_are_brought_to_it() {
    let mut world = World::new().await;
    create_project(&mut world).await;
    for (id, name) in [(1, "stays"), (2, "goes"), (3, "is-new"), (4, "is-gone")] {
        request(&mut world, id, name).await;
    }
    for id in [1, 2, 4] {
        upgrade(&mut world, id, id, deployment("1.0.0", 1, None)).await;
    }
    upgrade(&mut world, 2, 20, deployment("2.0.0", 2, None)).await;
    let towards = Event::UpgradeRequested {
        deployment: deployment("2.0.0", 2, None),
    };
    world.release(AUTHOR, 1, towards).await;
    let uninstalled = Event::ReleaseUninstalled {
        attempt: attempt(40),
        output: sealed(1),
        remains: None,
    };
    world
        .release(AUTHOR, 4, Event::UninstallRequested { forced: false })
        .await;
    world.release(3, 4, uninstalled).await;
    for (version, expected) in [
        (None, vec!["is-new", "goes", "stays"]),
        (Some("1.0.0"), vec!["is-new", "stays"]),
        (Some("2.0.0"), vec!["goes", "stays"]),
        (Some("3.0.0"), vec![]),
    ] {
        let version = version.map(number);
        let (page, count) = world
            .ask(move |conn| {
                let page = releases::running(conn, app(1), version.as_ref(), &first(10))?;
                Ok((page, releases::count_running(conn, app(1), version.as_ref())?))
            })
            .await;
        let names: Vec<_> = page.items.iter().map(|item| item.row.name.as_str()).collect();
        assert_eq!((names, count), (expected.clone(), expected.len() as u64));
    }
}
