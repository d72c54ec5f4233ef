//! The life of a Helm release.

use harness::text;
use serde_json::{Value, json};

use super::cluster;

#[tokio::test]
async fn helm_installs_upgrades_rolls_back_and_uninstalls_and_waits_each_time() {
    let (kubernetes, helms) = cluster().await;
    for helm in &helms {
        let deployment = || kubernetes.get("deployments", "default", "shop").unwrap();
        let wait = ["--wait", "--timeout", "20s"];
        helm.run(&[&["install", "shop", "web.tgz"], &wait[..]].concat()).await;
        assert_eq!(deployment()["status"]["availableReplicas"], json!(1));
        assert_eq!(
            kubernetes.get("jobs", "default", "shop-hook").unwrap()["status"]["succeeded"],
            json!(1)
        );

        helm.run(
            &[
                &[
                    "upgrade",
                    "shop",
                    "web.tgz",
                    "--set",
                    "replicas=3",
                    "--set",
                    "greeting=hi",
                ],
                &wait[..],
            ]
            .concat(),
        )
        .await;
        assert_eq!(deployment()["status"]["availableReplicas"], json!(3));
        assert_eq!(
            kubernetes
                .list("pods", "default")
                .iter()
                .filter(|pod| is_of(pod, "shop"))
                .count(),
            3
        );
        assert_eq!(
            kubernetes.get("configmaps", "default", "shop").unwrap()["data"]["greeting"],
            json!("hi")
        );

        helm.run(&[&["rollback", "shop", "1"], &wait[..]].concat()).await;
        assert_eq!(deployment()["spec"]["replicas"], json!(1));
        let history: Value = serde_json::from_str(&helm.run(&["history", "shop", "-o", "json"]).await).unwrap();
        let statuses: Vec<_> = history
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| text(entry, "/status"))
            .collect();
        assert_eq!(statuses, ["superseded", "superseded", "deployed"]);

        helm.run(&[&["uninstall", "shop"], &wait[..]].concat()).await;
        for plural in ["deployments", "replicasets", "services", "secrets"] {
            assert_eq!(kubernetes.list(plural, "default"), Vec::<Value>::new(), "{plural}");
        }
        kubernetes.delete("jobs", "default", "shop-hook");
    }
}

fn is_of(pod: &Value, app: &str) -> bool {
    pod["metadata"]["labels"]["app"] == app
}

#[tokio::test]
async fn what_cannot_become_ready_fails_the_wait_and_the_old_pods_stay() {
    let (kubernetes, helms) = cluster().await;
    for helm in &helms {
        helm.run(&["install", "shop", "web.tgz", "--wait", "--timeout", "20s"])
            .await;
        let broken = "image=registry.invalid/web:2";
        helm.fails(&[
            "upgrade",
            "shop",
            "web.tgz",
            "--wait",
            "--timeout",
            "3s",
            "--set",
            broken,
        ])
        .await;
        let status: Value = serde_json::from_str(&helm.run(&["status", "shop", "-o", "json"]).await).unwrap();
        assert_eq!(text(&status, "/info/status"), "failed");
        let sets = kubernetes.list("replicasets", "default");
        assert_eq!(sets.len(), 2, "the new one is not ready, so the old one stays");
        let phases: Vec<_> = kubernetes
            .list("pods", "default")
            .iter()
            .map(|pod| text(pod, "/status/phase").to_owned())
            .collect();
        assert!(
            phases.contains(&"Pending".to_owned()) && phases.contains(&"Running".to_owned()),
            "{phases:?}"
        );

        helm.run(&["rollback", "shop", "1", "--wait", "--timeout", "20s"]).await;
        assert_eq!(kubernetes.list("replicasets", "default").len(), 1);
        helm.run(&["uninstall", "shop"]).await;
        kubernetes.delete("jobs", "default", "shop-hook");
    }
}

#[tokio::test]
async fn workloads_that_are_held_become_ready_when_they_are_let_go() {
    let (kubernetes, helms) = cluster().await;
    for helm in &helms {
        kubernetes.hold_workloads();
        let words = ["install", "shop", "web.tgz", "--wait", "--no-hooks", "--timeout", "30s"];
        let install = helm.run(&words);
        let let_go = async {
            while kubernetes.get("deployments", "default", "shop").is_none() {
                tokio::task::yield_now().await;
            }
            let deployment = kubernetes.get("deployments", "default", "shop").unwrap();
            assert_eq!(deployment["status"]["readyReplicas"], Value::Null);
            kubernetes.let_workloads_go();
        };
        tokio::join!(install, let_go);
        helm.run(&["uninstall", "shop"]).await;
    }
}

#[tokio::test]
async fn a_hook_that_fails_fails_the_installation() {
    let (_kubernetes, helms) = cluster().await;
    for (number, helm) in helms.iter().enumerate() {
        let name = format!("shop-{number}");
        helm.fails(&[
            "install",
            &name,
            "web.tgz",
            "--set-json",
            "hook=[\"false\"]",
            "--timeout",
            "20s",
        ])
        .await;
        let status: Value = serde_json::from_str(&helm.run(&["status", &name, "-o", "json"]).await).unwrap();
        assert_eq!(text(&status, "/info/status"), "failed");
    }
}
