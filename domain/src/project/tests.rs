//! A project on Kubernetes is prepared, once or again.

use uuid::Uuid;

use super::*;
use crate::{digest::Digest, spec::given};

fn create(namespace: &str, preparation: Option<Preparation>) -> Command {
    Command::Create {
        workspace: WorkspaceId::from_uuid(Uuid::from_u128(1)),
        name: "demo".parse().unwrap(),
        cluster: ClusterId::from_uuid(Uuid::from_u128(2)),
        namespace: namespace.parse().unwrap(),
        preparation,
    }
}

fn created(namespace: &str) -> Event {
    Event::ProjectCreated {
        workspace: WorkspaceId::from_uuid(Uuid::from_u128(1)),
        name: "demo".parse().unwrap(),
        cluster: ClusterId::from_uuid(Uuid::from_u128(2)),
        namespace: namespace.parse().unwrap(),
    }
}

fn output() -> Sealed {
    Sealed {
        subject: "project-1".to_owned(),
        digest: Digest::from_bytes([7; 32]),
    }
}

const MAKE: Preparation = Preparation { adopt: false };
const ADOPT: Preparation = Preparation { adopt: true };
const ASKED: Event = Event::PreparationRequested { adopt: false };
const ASKED_TO_ADOPT: Event = Event::PreparationRequested { adopt: true };

fn failed() -> Event {
    Event::PreparationFailed {
        reason: PreparationFailure::NamespaceExists,
        output: output(),
    }
}

fn fail() -> Command {
    Command::Fail {
        reason: PreparationFailure::NamespaceExists,
        output: output(),
    }
}

#[test]
fn a_project_is_created_once() {
    given::<Project>([]).when(create("demo", None)).then([created("demo")]);
    given::<Project>([created("demo")])
        .when(create("demo", None))
        .then_rejected(&Rejection::Exists);
}

#[test]
fn a_project_on_kubernetes_asks_for_its_namespace_in_the_same_breath() {
    given::<Project>([])
        .when(create("demo", Some(MAKE)))
        .then([created("demo"), ASKED]);
    assert_eq!(react(&ASKED), Some(MAKE));
    assert_eq!(react(&ASKED_TO_ADOPT), Some(ADOPT));
    for done in [created("demo"), Event::ProjectPrepared {}, failed()] {
        assert_eq!(react(&done), None);
    }
}

#[test]
fn a_namespace_of_the_cluster_itself_is_no_project_s() {
    for namespace in ["default", "kube-system", "kube-public"] {
        given::<Project>([])
            .when(create(namespace, Some(MAKE)))
            .then_rejected(&Rejection::NamespaceReserved {
                namespace: namespace.parse().unwrap(),
            });
        given::<Project>([])
            .when(create(namespace, None))
            .then([created(namespace)]);
    }
}

#[test]
fn a_preparation_ends_with_one_outcome() {
    let prepared = Event::ProjectPrepared {};
    given::<Project>([created("demo"), ASKED])
        .when(Command::Succeed)
        .then([prepared.clone()]);
    given::<Project>([created("demo"), ASKED]).when(fail()).then([failed()]);
    for late in [Command::Succeed, fail()] {
        given::<Project>([created("demo"), ASKED, prepared.clone()])
            .when(late.clone())
            .then([]);
        given::<Project>([created("demo"), ASKED, failed()]).when(late).then([]);
    }
}

#[test]
fn what_failed_can_be_asked_for_again_and_what_is_under_way_need_not() {
    given::<Project>([created("demo"), ASKED, failed()])
        .when(Command::Prepare(MAKE))
        .then([ASKED]);
    given::<Project>([created("demo"), ASKED])
        .when(Command::Prepare(MAKE))
        .then([]);
    given::<Project>([created("demo"), ASKED])
        .when(Command::Prepare(ADOPT))
        .then([ASKED_TO_ADOPT]);
    given::<Project>([])
        .when(Command::Prepare(MAKE))
        .then_rejected(&Rejection::NotFound);
}
