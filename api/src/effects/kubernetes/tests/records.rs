use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use super::{super::records, scripted::Scripted};

const LIST: &str = "GET /api/v1/namespaces/web/secrets?labelSelector=owner%3Dhelm%2Cname%3Dredis";

fn secret(revision: u32, status: &str) -> Value {
    let mut packed = GzEncoder::new(vec![], Compression::best());
    let release = json!({ "info": { "status": status }, "version": revision });
    packed.write_all(release.to_string().as_bytes()).unwrap();
    let release = STANDARD.encode(STANDARD.encode(packed.finish().unwrap()));
    json!({
        "metadata": {
            "name": format!("sh.helm.release.v1.redis.v{revision}"),
            "resourceVersion": "5",
            "labels": { "version": revision.to_string(), "status": status, "charthouse/release": "7" },
        },
        "data": { "release": release },
    })
}

#[tokio::test]
async fn records_come_in_the_order_of_their_revisions() {
    let items = [secret(10, "deployed"), secret(9, "superseded")];
    let cluster = Scripted::answering(&[(LIST, 200, json!({ "items": items }))]).await;
    let found = records::of(&cluster.client, "web", "redis").await.unwrap();
    let revisions: Vec<_> = found.iter().map(|record| record.revision).collect();
    assert_eq!(revisions, [9, 10]);
    assert!(found.iter().all(|record| record.is_of("7")));
}

#[tokio::test]
async fn only_what_a_dead_helm_left_under_way_is_rewritten() {
    let (done, dead) = (secret(1, "deployed"), secret(2, "pending-upgrade"));
    let path = "/api/v1/namespaces/web/secrets/sh.helm.release.v1.redis.v2";
    let (read, write) = (format!("GET {path}"), format!("PUT {path}"));
    let cluster = Scripted::answering(&[
        (LIST, 200, json!({ "items": [done, dead.clone()] })),
        (&read, 200, dead.clone()),
        (&write, 200, json!({})),
    ])
    .await;
    let found = records::of(&cluster.client, "web", "redis").await.unwrap();
    records::settle(&cluster.client, "web", &found).await.unwrap();
    assert_eq!(cluster.changes(), [write]);
    let asked = cluster.asked();
    let written = &asked.last().unwrap().body;
    let mut expected = dead["metadata"].clone();
    expected["labels"]["status"] = "failed".into();
    assert_eq!(written["metadata"], expected);
    assert_ne!(written["data"], dead["data"]);
}

#[tokio::test]
async fn forgetting_deletes_every_record() {
    let cluster = Scripted::answering(&[(
        LIST,
        200,
        json!({ "items": [secret(1, "failed"), secret(2, "failed")] }),
    )])
    .await;
    let found = records::of(&cluster.client, "web", "redis").await.unwrap();
    records::forget(&cluster.client, "web", &found).await.unwrap();
    assert_eq!(cluster.changes().len(), 2);
    assert!(cluster.changes().iter().all(|what| what.starts_with("DELETE ")));
}
