//! Releases on Kubernetes, by the real Helm 3 and the real Helm 4: on the stand-in, and on a real cluster if there is one.

mod crashes;
mod failures;
mod fleet;
mod health;
mod kubeconfigs;
mod reach;
mod stopped;
mod tutorial;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use harness::{Story, helm::Helm, kubernetes::Kubernetes, server::PATIENCE, story::settled, text};
use serde_json::{Value, json};

/// The namespace of the project that [`on_a_cluster`] makes.
const NAMESPACE: &str = "shop";
/// As whom its project acts, and as whom Charthouse.
const ACCOUNT: &str = "system:serviceaccount:shop:charthouse";
const CHARTHOUSE: &str = "system:serviceaccount:charthouse:charthouse";

/// A story whose project `shop` is on a cluster, as an administrator sets it up who gives away no more than the
/// documentation says.
struct Site {
    story: Story,
    kubernetes: Kubernetes,
    cluster: String,
    /// Helm with the rights of the cluster's owner.
    owner: Helm,
}

impl Site {
    /// With the Helm of this name.
    async fn begin(helm: &str) -> Self {
        Self::begin_with(helm, "40s").await
    }

    /// With a time after which a run of Helm is over.
    async fn begin_with(helm: &str, helm_timeout: &str) -> Self {
        let [three, four] = Helm::both().await;
        let owner = if helm == three.program() { three } else { four };
        let kubernetes = Kubernetes::start().await;
        owner.use_cluster(&kubernetes.kubeconfig());
        let mut story = Story::begin_with(&["--helm", helm, "--helm-timeout", helm_timeout]).await;
        let (cluster, project) = on_a_cluster(&story, &charthouses_kubeconfig(&kubernetes), NAMESPACE).await;
        story.project = project;
        Self {
            story,
            kubernetes,
            cluster,
            owner,
        }
    }

    /// Helm's own word on a release: the statuses of its revisions, the oldest first.
    async fn history(&self, release: &str) -> Vec<String> {
        history(&self.owner, NAMESPACE, release).await
    }

    /// Asks once more for what failed, as whoever may see a draft.
    async fn retry(&self, release: &str) -> Value {
        self.story
            .isv
            .does("retryOperation", json!({ "release": release }))
            .await;
        settled(&self.story.isv, release).await
    }

    /// Upgrades what `wanted` names, as whoever may see a draft.
    async fn upgrade(&self, wanted: Value) -> Value {
        let release = text(&wanted, "/release").to_owned();
        self.story.isv.does("upgradeRelease", wanted).await;
        settled(&self.story.isv, &release).await
    }
}

/// The statuses of Helm's revisions, the oldest first; none if Helm does not know the release.
async fn history(owner: &Helm, namespace: &str, release: &str) -> Vec<String> {
    let output = owner
        .attempt(&["history", release, "--namespace", namespace, "--output", "json"])
        .await;
    let revisions: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
    revisions
        .iter()
        .map(|revision| text(revision, "/status").to_owned())
        .collect()
}

/// Registers a cluster and makes a project on it, in which the user may install; answers the ids of both.
async fn on_a_cluster(story: &Story, kubeconfig: &str, namespace: &str) -> (String, String) {
    let wanted = json!({ "name": "production", "kubeconfig": kubeconfig });
    let cluster = story.admin.does("registerCluster", wanted).await;
    let cluster = text(&cluster, "/cluster/id").to_owned();
    let wanted = json!({ "workspace": story.workspace, "name": "shop", "cluster": cluster, "namespace": namespace });
    let project = story.isv.does("createProject", wanted).await;
    let place = ["--workspace", "acme", "--project", "shop"];
    let grant = ["role", "grant", "project-regular", "project-regular"];
    story.command_line().run(&[&grant[..], &place].concat()).await;
    let project = text(&project, "/project/id").to_owned();
    until_ready(story, &project).await;
    (cluster, project)
}

/// Waits until a project has its place on its cluster.
async fn until_ready(story: &Story, project: &str) {
    let query = "query($id: ID!) { node(id: $id) { ... on Project { status failure failureOutput } } }";
    let started = Instant::now();
    loop {
        let answer = story.isv.ask(query, json!({ "id": project })).await;
        match text(&answer, "/node/status") {
            "READY" => return,
            "PREPARING" => tokio::time::sleep(Duration::from_millis(20)).await,
            _ => panic!("it is not prepared: {answer:#}"),
        }
        assert!(started.elapsed() < PATIENCE, "it is not prepared in time");
    }
}

/// A kubeconfig with the rights that `docs/operations.md` tells administrators to give, and with no others.
fn charthouses_kubeconfig(kubernetes: &Kubernetes) -> String {
    let named = |kind: &str, namespace: Option<&str>| json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": "charthouse", "namespace": namespace } });
    kubernetes.create(named("Namespace", None));
    kubernetes.create(named("ServiceAccount", Some("charthouse")));
    kubernetes.create(documented_role());
    kubernetes.create(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": "charthouse" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "charthouse" },
        "subjects": [{ "kind": "ServiceAccount", "name": "charthouse", "namespace": "charthouse" }],
    }));
    kubernetes.kubeconfig_with(&kubernetes.token_of_account("charthouse", "charthouse"))
}

fn documented_role() -> Value {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let text = std::fs::read_to_string(document).unwrap();
    let blocks = text
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let role = { blocks }.find(|block| block.contains("kind: ClusterRole\n"));
    serde_yaml::from_str(role.expect("the document shows the role")).unwrap()
}
