//! What a cluster can do to its clients.

use std::time::Duration;

use harness::kubernetes::{Failure, Fault};
use serde_json::json;

use super::{cluster, web};

#[tokio::test]
async fn a_cluster_that_is_not_there_refuses_connections_until_it_is() {
    let (kubernetes, helms) = cluster().await;
    kubernetes.disconnect().await;
    for helm in &helms {
        let said = helm.fails(&["list"]).await;
        assert!(
            said.contains("connection refused") || said.contains("unreachable"),
            "{said}"
        );
    }
    kubernetes.connect();
    for helm in &helms {
        helm.run(&["list"]).await;
    }
}

#[tokio::test]
async fn credentials_that_nobody_knows_are_refused() {
    let (kubernetes, helms) = cluster().await;
    kubernetes.revoke_credentials();
    for helm in &helms {
        helm.fails(&["list"]).await;
    }
    let last = kubernetes.requests().pop().unwrap();
    assert_eq!((last.status, last.sender), (Some(401), None));
}

#[tokio::test]
async fn a_fault_hits_the_request_it_is_meant_for() {
    let (kubernetes, helms) = cluster().await;
    for helm in &helms {
        kubernetes.fail(
            Fault::new(Failure::Answer(500))
                .of_writes()
                .of_path("/services")
                .times(1),
        );
        helm.fails(&["install", "shop", "web.tgz", "--no-hooks"]).await;
        assert!(kubernetes.get("services", "default", "shop").is_none());
        helm.run(&["upgrade", "--install", "shop", "web.tgz", "--no-hooks"])
            .await;
        assert!(kubernetes.get("services", "default", "shop").is_some());
        helm.run(&["uninstall", "shop"]).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_was_done_and_one_that_hangs_was_not() {
    let (kubernetes, helms) = cluster().await;
    kubernetes.fail(Fault::new(Failure::Cut).of_method("POST").of_path("/secrets").times(1));
    helms[0].fails(&["install", "shop", "web.tgz", "--no-hooks"]).await;
    assert_eq!(
        kubernetes.list("secrets", "default").len(),
        1,
        "it was done, and Helm did not learn it"
    );

    kubernetes.fail(Fault::new(Failure::Hang).of_method("POST").of_path("/secrets").times(1));
    let install = helms[0].run(&["install", "other", "web.tgz", "--no-hooks"]);
    let heal = async {
        let is_hanging = || {
            let requests = kubernetes.requests();
            requests
                .iter()
                .any(|request| request.method == "POST" && request.status.is_none())
        };
        while !is_hanging() {
            tokio::task::yield_now().await;
        }
        assert_eq!(kubernetes.list("secrets", "default").len(), 1);
        kubernetes.heal();
    };
    tokio::join!(install, heal);
    assert_eq!(kubernetes.list("secrets", "default").len(), 2);
}

#[tokio::test]
async fn a_slow_cluster_is_slow_and_does_what_it_is_asked() {
    let (kubernetes, helms) = cluster().await;
    kubernetes.fail(Fault::new(Failure::Slow(Duration::from_millis(20))));
    helms[1].run(&["install", "shop", "web.tgz", "--no-hooks"]).await;
    assert!(kubernetes.get("services", "default", "shop").is_some());
}

#[tokio::test]
async fn a_release_that_is_larger_than_a_secret_may_be_is_refused() {
    let (kubernetes, helms) = cluster().await;
    // What cannot be compressed, twice as much as fits.
    let mut random = harness::random::Random::seeded(1);
    let noise: Vec<u8> = (0..2_000_000)
        .map(|_| b'!' + u8::try_from(random.below(90)).unwrap())
        .collect();
    for helm in &helms {
        std::fs::write(helm.file("large.tgz"), web().file("noise.txt", &noise).packed()).unwrap();
        let said = helm.fails(&["install", "large", "large.tgz", "--no-hooks"]).await;
        assert!(said.contains("Too long"), "{said}");
    }
    assert_eq!(kubernetes.list("secrets", "default"), Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn a_namespace_that_is_not_there_takes_nothing() {
    let (kubernetes, helms) = cluster().await;
    for helm in &helms {
        let said = helm
            .fails(&["install", "shop", "web.tgz", "--namespace", "nowhere"])
            .await;
        assert!(said.contains("namespaces \"nowhere\" not found"), "{said}");
    }
    helms[0]
        .run(&[
            "install",
            "shop",
            "web.tgz",
            "--namespace",
            "nowhere",
            "--create-namespace",
        ])
        .await;
    let namespace = kubernetes.get("namespaces", "", "nowhere").unwrap();
    assert_eq!(namespace["status"]["phase"], json!("Active"));
}
