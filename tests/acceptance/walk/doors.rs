//! The doors, with what each takes: any of the permissions that are named, or none but to be signed in.

pub mod mutations;

use serde_json::Value;

use super::World;

pub struct Door {
    pub name: &'static str,
    pub needs: &'static [&'static str],
    /// A query, or a path.
    pub document: String,
    /// The input of a mutation, given who tries.
    pub input: Box<dyn Fn(&str) -> Value + Send + Sync>,
}

impl Door {
    pub fn at(path: &'static str, needs: &'static [&'static str]) -> Self {
        Self::query(path, needs, path.to_owned())
    }

    fn query(name: &'static str, needs: &'static [&'static str], document: String) -> Self {
        Self {
            name,
            needs,
            document,
            input: Box::new(|_| Value::Null),
        }
    }

    fn mutation(
        name: &'static str,
        needs: &'static [&'static str],
        input: impl Fn(&str) -> Value + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            needs,
            document: String::new(),
            input: Box::new(input),
        }
    }
}

pub fn queries(world: &World) -> Vec<Door> {
    let World {
        workspace,
        project,
        draft,
        draft_version,
        release,
        position,
        ..
    } = world;
    vec![
        Door::query("viewer", &[], "{ viewer { account { name } } }".to_owned()),
        Door::query(
            "node",
            &["workspace.view"],
            format!("{{ node(id: \"{draft}\") {{ id }} }}"),
        ),
        Door::query("store", &["store.view"], "{ store { nodes { chartName } } }".to_owned()),
        Door::query(
            "app",
            &["workspace.view"],
            format!("{{ app(id: \"{draft}\") {{ id }} }}"),
        ),
        Door::query(
            "apps",
            &["workspace.view"],
            format!("{{ apps(workspace: \"{workspace}\") {{ nodes {{ id }} }} }}"),
        ),
        Door::query(
            "version",
            &["workspace.view"],
            format!("{{ version(id: \"{draft_version}\") {{ id }} }}"),
        ),
        Door::query(
            "reviewQueue",
            &["review.view"],
            "{ reviewQueue { nodes { submission } } }".to_owned(),
        ),
        Door::query(
            "decisions",
            &["audit.view"],
            "{ decisions { nodes { decision } } }".to_owned(),
        ),
        Door::query(
            "categories",
            &["store.view"],
            "{ categories { nodes { name } } }".to_owned(),
        ),
        Door::query(
            "workspaces",
            &["workspace.manage"],
            "{ workspaces { nodes { name } } }".to_owned(),
        ),
        Door::query(
            "workspace",
            &["workspace.view", "workspace.manage"],
            "{ workspace(name: \"acme\") { id } }".to_owned(),
        ),
        Door::query(
            "clusters",
            &["cluster.manage"],
            "{ clusters { nodes { name } } }".to_owned(),
        ),
        Door::query(
            "account",
            &["account.manage", "audit.view", "review.view", "workspace.view"],
            "{ account(name: \"isv\") { id } }".to_owned(),
        ),
        Door::query(
            "accounts",
            &["account.manage", "audit.view"],
            "{ accounts { nodes { id } } }".to_owned(),
        ),
        Door::query(
            "roles",
            &["role.manage", "account.manage", "audit.view"],
            "{ roles { name } }".to_owned(),
        ),
        Door::query("reviewPolicy", &[], "{ reviewPolicy { stages { name } } }".to_owned()),
        Door::query(
            "release",
            &["release.view"],
            format!("{{ release(id: \"{release}\") {{ id }} }}"),
        ),
        Door::query(
            "releases",
            &["release.view"],
            format!("{{ releases(project: \"{project}\") {{ nodes {{ id }} }} }}"),
        ),
        Door::query(
            "upgradePreview",
            &["release.values"],
            format!("{{ upgradePreview(release: \"{release}\") {{ versionNumber }} }}"),
        ),
        Door::query(
            "auditTrail",
            &["audit.view"],
            "{ auditTrail { nodes { event } } }".to_owned(),
        ),
        Door::query(
            "inclusionProof",
            &["audit.view", "workspace.view"],
            format!("{{ inclusionProof(position: \"{position}\") {{ file }} }}"),
        ),
        Door::query("checkpoint", &[], "{ checkpoint { note } }".to_owned()),
        Door::query(
            "consistencyProof",
            &[],
            "{ consistencyProof(from: \"1\", to: \"2\") { hashes } }".to_owned(),
        ),
        Door::query("epoch", &[], "{ epoch }".to_owned()),
    ]
}

pub fn downloads() -> Vec<Door> {
    vec![
        Door::at("/charts/store/index.yaml", &["store.view"]),
        Door::at("/charts/store/redis-11.3.4.tgz", &["store.view"]),
        Door::at("/charts/workspaces/acme/index.yaml", &["workspace.view"]),
        Door::at("/charts/workspaces/acme/valkey-1.0.0.tgz", &["workspace.view"]),
        Door::at("/events", &["audit.view"]),
        Door::at("/exports/decisions.csv", &["audit.view"]),
        Door::at("/exports/decisions.jsonl", &["audit.view"]),
        Door::at("/exports/decisions.cloudevents.json", &["audit.view"]),
        Door::at("/exports/decisions.zip", &["audit.view"]),
    ]
}
