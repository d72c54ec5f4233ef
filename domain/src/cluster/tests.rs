//! A cluster is registered once, and only what a check found anew is recorded.

use super::*;
use crate::{digest::Digest, spec::given};

fn name() -> ClusterName {
    "production".parse().unwrap()
}

fn uid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn sealed(number: u8) -> Sealed {
    Sealed {
        subject: "cluster-1".to_owned(),
        digest: Digest::from_bytes([number; 32]),
    }
}

fn found(number: u128, version: &str) -> Found {
    Found {
        uid: uid(number),
        version: version.to_owned(),
    }
}

fn app() -> AppId {
    AppId::from_uuid(uid(3))
}

fn registered() -> Event {
    Event::ClusterRegistered {
        name: name(),
        kind: Kind::Kubernetes,
        kubernetes: Some(Kubernetes {
            uid: uid(1),
            version: "v1.36.0".to_owned(),
            kubeconfig: sealed(1),
        }),
    }
}

fn a_directory() -> Event {
    Event::ClusterRegistered {
        name: name(),
        kind: Kind::Directory,
        kubernetes: None,
    }
}

fn lost(reason: Trouble) -> Event {
    Event::ClusterLost { reason }
}

fn reached(version: &str) -> Event {
    Event::ClusterReached {
        version: version.to_owned(),
    }
}

fn check(found: Result<Found, Trouble>) -> Command {
    Command::Check { found }
}

#[test]
fn a_cluster_is_registered_once() {
    let register = Command::Register {
        name: name(),
        kubernetes: None,
    };
    given::<Cluster>([]).when(register.clone()).then([a_directory()]);
    given::<Cluster>([a_directory()])
        .when(register)
        .then_rejected(&Rejection::Exists);
}

#[test]
fn what_was_never_registered_is_not_found() {
    given::<Cluster>([])
        .when(check(Err(Trouble::Unreachable)))
        .then_rejected(&Rejection::NotFound);
}

#[test]
fn a_check_is_recorded_only_if_it_found_something_else_than_the_last() {
    given::<Cluster>([registered()])
        .when(check(Ok(found(1, "v1.36.0"))))
        .then([]);
    given::<Cluster>([registered()])
        .when(check(Ok(found(1, "v1.37.0"))))
        .then([reached("v1.37.0")]);
    given::<Cluster>([registered()])
        .when(check(Err(Trouble::Unreachable)))
        .then([lost(Trouble::Unreachable)]);
    given::<Cluster>([registered(), lost(Trouble::Unreachable)])
        .when(check(Err(Trouble::Unreachable)))
        .then([]);
    given::<Cluster>([registered(), lost(Trouble::Unreachable)])
        .when(check(Err(Trouble::CredentialsRefused)))
        .then([lost(Trouble::CredentialsRefused)]);
    given::<Cluster>([registered(), lost(Trouble::Unreachable)])
        .when(check(Ok(found(1, "v1.36.0"))))
        .then([reached("v1.36.0")]);
}

#[test]
fn another_cluster_at_the_same_address_is_not_this_one() {
    given::<Cluster>([registered()])
        .when(check(Ok(found(2, "v1.36.0"))))
        .then([lost(Trouble::AnotherCluster)]);
    given::<Cluster>([registered()])
        .when(Command::ReplaceKubeconfig {
            kubeconfig: sealed(2),
            found: found(2, "v1.36.0"),
        })
        .then_rejected(&Rejection::AnotherCluster {
            registered: uid(1),
            found: uid(2),
        });
}

#[test]
fn a_kubeconfig_is_replaced_by_another_way_to_the_same_cluster() {
    let replace = |version| Command::ReplaceKubeconfig {
        kubeconfig: sealed(2),
        found: found(1, version),
    };
    let replaced = Event::KubeconfigReplaced { kubeconfig: sealed(2) };
    given::<Cluster>([registered()])
        .when(replace("v1.36.0"))
        .then([replaced.clone()]);
    given::<Cluster>([registered(), lost(Trouble::CredentialsRefused)])
        .when(replace("v1.36.0"))
        .then([replaced, reached("v1.36.0")]);
}

#[test]
fn a_folder_of_manifests_is_not_checked_and_allows_nothing_cluster_wide() {
    for command in [
        check(Ok(found(1, "v1.36.0"))),
        Command::AllowClusterScope { app: app() },
        Command::ReplaceKubeconfig {
            kubeconfig: sealed(2),
            found: found(1, "v1.36.0"),
        },
    ] {
        given::<Cluster>([a_directory()])
            .when(command)
            .then_rejected(&Rejection::NotKubernetes);
    }
}

#[test]
fn cluster_scope_is_allowed_and_forbidden_app_by_app() {
    let (allowed, forbidden) = (
        Event::ClusterScopeAllowed { app: app() },
        Event::ClusterScopeForbidden { app: app() },
    );
    let (allow, forbid) = (
        Command::AllowClusterScope { app: app() },
        Command::ForbidClusterScope { app: app() },
    );
    given::<Cluster>([registered()])
        .when(allow.clone())
        .then([allowed.clone()]);
    given::<Cluster>([registered(), allowed.clone()]).when(allow).then([]);
    given::<Cluster>([registered(), allowed.clone()])
        .when(forbid.clone())
        .then([forbidden.clone()]);
    given::<Cluster>([registered(), allowed, forbidden])
        .when(forbid)
        .then([]);
}
