use domain::{
    cluster::{Event, Kind, Kubernetes, Trouble},
    digest::{Digest, Sealed},
    project::{Event as Project, PreparationFailure},
};
use uuid::Uuid;

use super::world::*;
use crate::{clusters, tenancy};

fn sealed_by(subject: &str) -> Sealed {
    Sealed {
        subject: subject.to_owned(),
        digest: Digest::from_bytes([1; 32]),
    }
}

#[tokio::test]
async fn a_cluster_shows_its_version_and_why_it_is_not_reached() {
    let mut world = World::new().await;
    let stream = format!("cluster-{}", cluster(5));
    let uid = Uuid::from_u128(77);
    let registered = Event::ClusterRegistered {
        name: "production".parse().unwrap(),
        kind: Kind::Kubernetes,
        kubernetes: Some(Kubernetes {
            uid,
            version: "v1.36.0".to_owned(),
            kubeconfig: sealed_by(&stream),
        }),
    };
    let reason = Trouble::CredentialsRefused;
    let reached = Event::ClusterReached {
        version: "v1.37.0".to_owned(),
    };
    let mut seen = vec![];
    for event in [registered, Event::ClusterLost { reason }, reached] {
        world.record(AUTHOR, &stream, &event).await;
        let shown = world.ask(|conn| clusters::cluster(conn, cluster(5))).await.unwrap();
        assert_eq!((shown.kind, shown.uid), (Kind::Kubernetes, Some(uid)));
        seen.push((shown.version.unwrap(), shown.trouble));
    }
    let expected = [
        ("v1.36.0", None),
        ("v1.36.0", Some(Trouble::CredentialsRefused)),
        ("v1.37.0", None),
    ];
    assert_eq!(seen, expected.map(|(version, trouble)| (version.to_owned(), trouble)));
    let named = world
        .ask(|conn| clusters::named(conn, &"production".parse().unwrap()))
        .await;
    assert_eq!(named, world.ask(|conn| clusters::cluster(conn, cluster(5))).await);
    let all = world.ask(|conn| clusters::list(conn, &first(1))).await;
    assert_eq!(all.items.len(), 1);
}

#[tokio::test]
async fn a_cluster_lists_the_apps_that_may_reach_beyond_their_namespace() {
    let mut world = World::new().await;
    let stream = format!("cluster-{}", cluster(5));
    let registered = Event::ClusterRegistered {
        name: "production".parse().unwrap(),
        kind: Kind::Kubernetes,
        kubernetes: None,
    };
    for event in [
        registered,
        Event::ClusterScopeAllowed { app: app(1) },
        Event::ClusterScopeAllowed { app: app(2) },
        Event::ClusterScopeForbidden { app: app(1) },
    ] {
        world.record(AUTHOR, &stream, &event).await;
    }
    let shown = world.ask(|conn| clusters::cluster(conn, cluster(5))).await.unwrap();
    assert_eq!(shown.cluster_wide, [app(2)]);
}

#[tokio::test]
async fn a_project_shows_whether_it_is_prepared_and_why_not() {
    let mut world = World::new().await;
    let stream = format!("project-{}", project(7));
    let created = Project::ProjectCreated {
        workspace: workspace(1),
        name: "web".parse().unwrap(),
        cluster: cluster(5),
        namespace: "web".parse().unwrap(),
    };
    let (reason, output) = (PreparationFailure::NamespaceExists, sealed_by(&stream));
    let requested = Project::PreparationRequested { adopt: false };
    let failed = Project::PreparationFailed {
        reason,
        output: output.clone(),
    };
    let mut seen = vec![];
    for event in [created, requested, failed, Project::ProjectPrepared {}] {
        world.record(AUTHOR, &stream, &event).await;
        let shown = world.ask(|conn| tenancy::project(conn, project(7))).await.unwrap();
        let preparing = world.ask(tenancy::preparing).await;
        assert_eq!(!preparing.is_empty(), shown.status == tenancy::ProjectStatus::Preparing);
        seen.push(shown.status);
    }
    let expected = [
        tenancy::ProjectStatus::Ready,
        tenancy::ProjectStatus::Preparing,
        tenancy::ProjectStatus::Failed { reason, output },
        tenancy::ProjectStatus::Ready,
    ];
    assert_eq!(seen, expected);
}
