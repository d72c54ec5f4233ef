//! The kinds of objects there are, and how objects are named.

use serde_json::Value;

use super::status::Status;

/// Group and version, plural, kind, scope, and short names.
const BUILT_IN: &str = "
v1 configmaps ConfigMap namespaced cm
v1 endpoints Endpoints namespaced ep
v1 events Event namespaced ev
v1 limitranges LimitRange namespaced limits
v1 namespaces Namespace cluster ns
v1 nodes Node cluster no
v1 persistentvolumeclaims PersistentVolumeClaim namespaced pvc
v1 persistentvolumes PersistentVolume cluster pv
v1 pods Pod namespaced po
v1 resourcequotas ResourceQuota namespaced quota
v1 secrets Secret namespaced
v1 serviceaccounts ServiceAccount namespaced sa
v1 services Service namespaced svc
apps/v1 daemonsets DaemonSet namespaced ds
apps/v1 deployments Deployment namespaced deploy
apps/v1 replicasets ReplicaSet namespaced rs
apps/v1 statefulsets StatefulSet namespaced sts
autoscaling/v2 horizontalpodautoscalers HorizontalPodAutoscaler namespaced hpa
batch/v1 cronjobs CronJob namespaced cj
batch/v1 jobs Job namespaced
networking.k8s.io/v1 ingressclasses IngressClass cluster
networking.k8s.io/v1 ingresses Ingress namespaced ing
networking.k8s.io/v1 networkpolicies NetworkPolicy namespaced netpol
policy/v1 poddisruptionbudgets PodDisruptionBudget namespaced pdb
rbac.authorization.k8s.io/v1 clusterrolebindings ClusterRoleBinding cluster
rbac.authorization.k8s.io/v1 clusterroles ClusterRole cluster
rbac.authorization.k8s.io/v1 rolebindings RoleBinding namespaced
rbac.authorization.k8s.io/v1 roles Role namespaced
storage.k8s.io/v1 storageclasses StorageClass cluster sc
scheduling.k8s.io/v1 priorityclasses PriorityClass cluster pc
coordination.k8s.io/v1 leases Lease namespaced
admissionregistration.k8s.io/v1 mutatingwebhookconfigurations MutatingWebhookConfiguration cluster
admissionregistration.k8s.io/v1 validatingwebhookconfigurations ValidatingWebhookConfiguration cluster
apiextensions.k8s.io/v1 customresourcedefinitions CustomResourceDefinition cluster crd
";

/// What has no status of its own.
const WITHOUT_STATUS: [&str; 3] = ["configmaps", "secrets", "serviceaccounts"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resource {
    /// Empty for the core group.
    pub(super) group: String,
    pub(super) version: String,
    pub(super) plural: String,
    pub(super) kind: String,
    pub(super) is_namespaced: bool,
    pub(super) short_names: Vec<String>,
}

impl Resource {
    /// As it stands in objects: `v1`, `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// As it stands in messages: `secrets`, `deployments.apps`.
    pub(super) fn full_name(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    pub(super) fn has_status(&self) -> bool {
        !WITHOUT_STATUS.contains(&self.plural.as_str()) && self.group != "rbac.authorization.k8s.io"
    }

    pub(super) fn key(&self, namespace: &str, name: &str) -> Key {
        Key {
            group: self.group.clone(),
            plural: self.plural.clone(),
            namespace: if self.is_namespaced { namespace } else { "" }.to_owned(),
            name: name.to_owned(),
        }
    }

    pub(super) fn not_found(&self, name: &str) -> Status {
        Status::new(404, "NotFound", format!("{} \"{name}\" not found", self.full_name())).about(self, name)
    }

    pub(super) fn invalid(&self, name: &str, why: &str) -> Status {
        Status::new(422, "Invalid", format!("{} \"{name}\" is invalid: {why}", self.kind)).about(self, name)
    }
}

/// Where an object is. An object is the same in all versions of its group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) group: String,
    pub(super) plural: String,
    /// Empty for what belongs to the cluster.
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Key {
    pub(super) fn is_of(&self, resource: &Resource) -> bool {
        self.plural == resource.plural && self.group == resource.group
    }
}

pub(super) fn built_in() -> Vec<Resource> {
    BUILT_IN.lines().filter_map(parse).collect()
}

fn parse(line: &str) -> Option<Resource> {
    let mut words = line.split(' ');
    let api_version = words.next().filter(|word| !word.is_empty())?;
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    Some(Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: words.next()?.to_owned(),
        kind: words.next()?.to_owned(),
        is_namespaced: words.next()? == "namespaced",
        short_names: words.map(str::to_owned).collect(),
    })
}

/// What a `CustomResourceDefinition` adds: a resource for each version that is served.
pub(super) fn defined_by(definition: &Value) -> Vec<Resource> {
    let spec = &definition["spec"];
    let said = |pointer: &str| {
        spec.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let short_names = spec.pointer("/names/shortNames").and_then(Value::as_array);
    let short_names = short_names.into_iter().flatten().filter_map(Value::as_str);
    let short_names: Vec<_> = short_names.map(str::to_owned).collect();
    let versions = spec["versions"].as_array().into_iter().flatten();
    let served = versions.filter(|version| version["served"] != Value::Bool(false));
    served
        .filter_map(|version| version["name"].as_str())
        .map(|version| Resource {
            group: said("/group"),
            version: version.to_owned(),
            plural: said("/names/plural"),
            kind: said("/names/kind"),
            is_namespaced: said("/scope") == "Namespaced",
            short_names: short_names.clone(),
        })
        .collect()
}
