//! `kill -9` at any instant of any operation: it ends with exactly one Helm release in the wanted state, and one event.

use std::collections::BTreeSet;

use harness::{
    chart::{Chart, workload},
    random::{Random, seed},
    story::{audit_trail, settled},
    text,
};
use serde_json::{Value, json};

use super::{NAMESPACE, Site};

/// More requests than any operation makes, so that some are killed after their end.
const INSTANTS: u64 = 60;
const OUTCOMES: [&str; 5] = [
    "ReleaseInstalled",
    "ReleaseUpgraded",
    "ReleaseUninstalled",
    "OperationFailed",
    "OperationCancelled",
];

/// How often the worker is killed; `CHARTHOUSE_TEST_KILLS` says otherwise.
fn kills() -> u64 {
    let asked = std::env::var("CHARTHOUSE_TEST_KILLS").ok();
    asked.and_then(|kills| kills.parse().ok()).unwrap_or(8)
}

#[tokio::test]
async fn killed_at_any_instant_with_helm_3() {
    survive(&mut Site::begin("helm").await, seed(), kills().div_ceil(2)).await;
}

#[tokio::test]
async fn killed_at_any_instant_with_helm_4() {
    survive(&mut Site::begin("helm4").await, seed() + 1, kills() / 2).await;
}

/// A chart with a workload, and a Job that runs before each change.
fn redis(version: &str) -> Chart {
    workload("redis", version).default_values("hook: [\"true\"]\n")
}

/// What a release is to be after an operation.
struct Wanted {
    name: String,
    release: String,
    /// The version and the greeting that run; `None` once it is gone.
    runs: Option<(&'static str, &'static str)>,
    revision: u64,
    operations: usize,
}

async fn survive(site: &mut Site, seed: u64, kills: u64) {
    let mut random = Random::seeded(seed);
    let app = site.story.published(&redis("11.3.4")).await;
    let second = site.story.version(&app.app, &redis("12.0.0")).await;
    site.story.publish(&second).await;
    let mut wanted = None;
    for round in 0..kills {
        let start = site.kubernetes.requests().len();
        let now = ask(site, wanted.take(), round, &app.version, &second).await;
        // Often again while it is taken up, sometimes after its end.
        for again in 0..=random.below(2) {
            let instant = random.below(INSTANTS);
            println!(
                "seed {seed}, round {round}.{again}: {} killed at request {instant}",
                now.name
            );
            let start = if again == 0 {
                start
            } else {
                site.kubernetes.requests().len()
            };
            tokio::select! {
                () = site.kubernetes.until_requests(start + usize::try_from(instant).unwrap()) => {}
                _ = settled(&site.story.user, &now.release) => {}
            }
            site.story.server.kill().await;
            site.story.server.start_again().await;
        }
        is_as_wanted(site, &now).await;
        wanted = Some(now);
    }
}

/// Asks for the next operation in the life of a release: install, upgrade, rollback, uninstall, and from the beginning.
async fn ask(site: &Site, before: Option<Wanted>, round: u64, first: &str, second: &str) -> Wanted {
    let user = &site.story.user;
    let Some(mut wanted) = before.filter(|wanted| wanted.runs.is_some()) else {
        let name = format!("cache-{round}");
        let release = site.story.install(&name, first, Some("greeting: first\n")).await;
        return Wanted {
            name,
            release,
            runs: Some(("11.3.4", "first")),
            revision: 1,
            operations: 1,
        };
    };
    let release = json!({ "release": wanted.release });
    wanted.operations += 1;
    match wanted.revision {
        1 => {
            let input = json!({ "release": wanted.release, "version": second, "values": "greeting: second\n" });
            user.does("upgradeRelease", input).await;
            wanted.runs = Some(("12.0.0", "second"));
            wanted.revision = 2;
        }
        2 => {
            user.does("rollbackRelease", json!({ "release": wanted.release, "revision": 1 }))
                .await;
            wanted.runs = Some(("11.3.4", "first"));
            wanted.revision = 3;
        }
        _ => {
            user.does("uninstallRelease", release).await;
            wanted.runs = None;
        }
    }
    wanted
}

async fn is_as_wanted(site: &Site, wanted: &Wanted) {
    let ended = settled(&site.story.user, &wanted.release).await;
    let map = site.kubernetes.get("configmaps", NAMESPACE, &wanted.name);
    let deployment = site.kubernetes.get("deployments", NAMESPACE, &wanted.name);
    let history = site.history(&wanted.name).await;
    if let Some((version, greeting)) = wanted.runs {
        assert_eq!(
            (text(&ended, "/status"), &ended["revision"]),
            ("RUNNING", &json!(wanted.revision)),
            "{ended:#}"
        );
        let map = map.expect("its objects are there");
        assert_eq!(text(&map, "/data/chart"), format!("redis-{version}"));
        assert_eq!(text(&map, "/data/greeting"), greeting);
        let image = "/spec/template/spec/containers/0/image";
        assert_eq!(
            text(&deployment.expect("its objects are there"), image),
            format!("example.org/redis:{version}")
        );
        assert_eq!(
            history.iter().filter(|status| *status == "deployed").count(),
            1,
            "{history:?}"
        );
        assert_eq!(history.last().map(String::as_str), Some("deployed"), "{history:?}");
        assert!(
            !history.iter().any(|status| status.starts_with("pending")),
            "{history:?}"
        );
        assert_eq!(releases_of_helm(site), BTreeSet::from([wanted.name.clone()]));
    } else {
        assert_eq!(text(&ended, "/status"), "UNINSTALLED", "{ended:#}");
        assert_eq!((map, deployment, history), (None, None, vec![]), "{ended:#}");
        assert_eq!(releases_of_helm(site), BTreeSet::new());
    }
    let stream = stream_of(site, &wanted.release).await;
    let outcomes: Vec<_> = stream
        .iter()
        .filter(|event| OUTCOMES.contains(&event.as_str()))
        .collect();
    assert_eq!(
        outcomes.len(),
        wanted.operations,
        "one outcome for each operation: {stream:?}"
    );
    assert!(!stream.iter().any(|event| event == "OperationFailed"), "{stream:?}");
}

/// The names of all releases that Helm knows of.
fn releases_of_helm(site: &Site) -> BTreeSet<String> {
    let secrets = site.kubernetes.list("secrets", NAMESPACE);
    let of_helm = secrets.iter().filter(|secret| secret["type"] == "helm.sh/release.v1");
    of_helm
        .map(|secret| text(secret, "/metadata/labels/name").to_owned())
        .collect()
}

/// The names of a release's events. Its stream is named by what its global id holds.
async fn stream_of(site: &Site, release: &str) -> Vec<String> {
    let entries: Vec<Value> = audit_trail(&site.story.admin).await;
    let stream = harness::person::stream_of(release);
    let of_it = entries.iter().filter(|entry| text(entry, "/stream") == stream);
    of_it.map(|entry| text(entry, "/event").to_owned()).collect()
}
