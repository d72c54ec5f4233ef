//! The doors, with what each takes: any of the permissions that are named, or none but to be signed in.

pub mod mutations;
pub mod routes;

use serde_json::Value;

use super::World;

pub struct Door {
    pub name: &'static str,
    pub needs: &'static [&'static str],
    /// Open also to whoever is not signed in.
    pub is_public: bool,
    /// A query, or a path.
    pub document: String,
    /// The input of a mutation, given who tries.
    pub input: Box<dyn Fn(&str) -> Value + Send + Sync>,
}

impl Door {
    fn query(name: &'static str, needs: &'static [&'static str], document: String) -> Self {
        Self {
            name,
            needs,
            is_public: false,
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
            is_public: false,
            document: String::new(),
            input: Box::new(input),
        }
    }

    fn public(self) -> Self {
        Self {
            is_public: true,
            ..self
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

pub fn subscriptions(world: &World) -> Vec<Door> {
    let release = &world.release;
    vec![
        Door::query(
            "events",
            &["audit.view"],
            "subscription { events(after: \"0\") { event } }".to_owned(),
        ),
        Door::query(
            "reviewQueueChanged",
            &["review.view"],
            "subscription { reviewQueueChanged { submission } }".to_owned(),
        ),
        Door::query(
            "releaseChanged",
            &["release.view"],
            format!("subscription {{ releaseChanged(id: \"{release}\") {{ id }} }}"),
        ),
    ]
}
