//! The mutations about clusters, and projects on them.

use serde_json::{Value, json};

use super::super::{super::World, Door};

/// A kubeconfig that reads well and leads nowhere.
fn kubeconfig() -> String {
    json!({
        "current-context": "nowhere",
        "contexts": [{ "name": "nowhere", "context": { "cluster": "nowhere", "user": "nobody" } }],
        "clusters": [{ "name": "nowhere", "cluster": { "server": "http://127.0.0.1:1" } }],
        "users": [{ "name": "nobody", "user": { "token": "nothing" } }],
    })
    .to_string()
}

pub fn mutations(world: &World) -> Vec<Door> {
    let manages = &["cluster.manage"];
    let about = |more: Value| {
        let mut input = json!({ "cluster": world.cluster });
        if let (Value::Object(input), Value::Object(more)) = (&mut input, more) {
            input.extend(more);
        }
        move |_: &str| input.clone()
    };
    let (project, release) = (world.project.clone(), world.release.clone());
    vec![
        Door::mutation(
            "registerCluster",
            manages,
            |who| json!({ "name": format!("of-{who}"), "kubeconfig": kubeconfig() }),
        ),
        Door::mutation(
            "replaceKubeconfig",
            manages,
            about(json!({ "kubeconfig": kubeconfig() })),
        ),
        Door::mutation("checkCluster", manages, about(json!({}))),
        Door::mutation("allowClusterScope", manages, about(json!({ "app": world.app }))),
        Door::mutation("forbidClusterScope", manages, about(json!({ "app": world.app }))),
        Door::mutation(
            "checkRelease",
            &["release.view"],
            move |_| json!({ "release": release }),
        ),
        Door::mutation(
            "prepareProject",
            &["project.manage", "cluster.manage"],
            move |_| json!({ "project": project }),
        ),
    ]
}
