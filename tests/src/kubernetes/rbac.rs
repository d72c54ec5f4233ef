//! Who may do what, by the roles and bindings that are in the store.
//!
//! Rules are evaluated as Kubernetes does: verbs, groups, resources with subresources, names of objects, paths. Nobody
//! makes a role or a binding that gives more than they have. Aggregated roles are left out.

use serde_json::Value;

use super::{
    resource::{Key, Resource},
    selector::Selector,
    status::Status,
    store::Store,
};

const GROUP: &str = "rbac.authorization.k8s.io";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) groups: Vec<String>,
}

/// What somebody wants to do to an object, or to all of a kind if `name` is empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Action<'a> {
    pub(super) verb: &'a str,
    pub(super) group: &'a str,
    /// With the subresource, if there is one: `serviceaccounts/token`.
    pub(super) resource: &'a str,
    /// Empty for the whole cluster.
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

/// What a role's rule gives.
#[derive(Debug, Clone)]
struct Rule {
    verbs: Vec<String>,
    groups: Vec<String>,
    resources: Vec<String>,
    names: Vec<String>,
    paths: Vec<String>,
}

impl Rule {
    fn of(rule: &Value) -> Self {
        let list = |field: &str| {
            let items = rule[field].as_array().into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            verbs: list("verbs"),
            groups: list("apiGroups"),
            resources: list("resources"),
            names: list("resourceNames"),
            paths: list("nonResourceURLs"),
        }
    }

    fn allows(&self, action: &Action<'_>) -> bool {
        let is_named = self.names.is_empty() || self.names.iter().any(|name| name == action.name);
        has(&self.verbs, action.verb)
            && has(&self.groups, action.group)
            && self.resources.iter().any(|known| is_resource(known, action.resource))
            && is_named
    }

    fn allows_path(&self, verb: &str, path: &str) -> bool {
        let is_path = |known: &String| match known.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == known,
        };
        has(&self.verbs, verb) && self.paths.iter().any(is_path)
    }

    /// All single actions this rule gives, so that each can be looked for among the rules of somebody else.
    fn actions(&self) -> Vec<Action<'_>> {
        let names: Vec<&str> = match self.names.as_slice() {
            [] => vec![""],
            names => names.iter().map(String::as_str).collect(),
        };
        let mut actions = vec![];
        for verb in &self.verbs {
            for group in &self.groups {
                for resource in &self.resources {
                    actions.extend(names.iter().map(|name| Action {
                        verb,
                        group,
                        resource,
                        namespace: "",
                        name,
                    }));
                }
            }
        }
        actions
    }
}

fn has(list: &[String], word: &str) -> bool {
    list.iter().any(|known| known == "*" || known == word)
}

/// `*` is every resource, `*/scale` that subresource of all.
fn is_resource(known: &str, resource: &str) -> bool {
    let subresource = resource.split_once('/').map(|(_, subresource)| subresource);
    known == "*" || known == resource || known.strip_prefix("*/").is_some_and(|rest| Some(rest) == subresource)
}

pub(super) fn allows(store: &Store, user: &User, action: &Action<'_>) -> bool {
    rules_of(store, user, action.namespace)
        .iter()
        .any(|rule| rule.allows(action))
}

pub(super) fn allows_path(store: &Store, user: &User, verb: &str, path: &str) -> bool {
    rules_of(store, user, "")
        .iter()
        .any(|rule| rule.allows_path(verb, path))
}

/// # Errors
///
/// 403 in the words of Kubernetes.
pub(super) fn authorize(store: &Store, user: &User, action: &Action<'_>) -> Result<(), Status> {
    if allows(store, user, action) {
        return Ok(());
    }
    let Action {
        verb,
        group,
        resource,
        namespace,
        name,
    } = action;
    let what = if group.is_empty() {
        (*resource).to_owned()
    } else {
        format!("{resource}.{group}")
    };
    let which = if name.is_empty() {
        String::new()
    } else {
        format!(" \"{name}\"")
    };
    let place = match *namespace {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace \"{namespace}\""),
    };
    let message = format!(
        "{what}{which} is forbidden: User \"{}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}",
        user.name
    );
    Err(Status::new(403, "Forbidden", message))
}

/// Whoever writes a role or a binding has what it gives, or may `escalate` and `bind`.
///
/// # Errors
///
/// 403 if they have not; 404 if the role of a binding does not exist.
pub(super) fn refuse_escalation(
    store: &Store,
    user: &User,
    resource: &Resource,
    namespace: &str,
    object: &Value,
) -> Result<(), Status> {
    let may = |verb, resource: &str, name: &str| {
        let action = Action {
            verb,
            group: GROUP,
            resource,
            namespace,
            name,
        };
        allows(store, user, &action)
    };
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let given = match resource.plural.as_str() {
        "roles" | "clusterroles" if may("escalate", &resource.plural, name) => return Ok(()),
        "roles" | "clusterroles" => rules_in(object),
        "rolebindings" | "clusterrolebindings" => {
            let role = role_of(object, namespace);
            if may("bind", &role.plural, &role.name) {
                return Ok(());
            }
            let found = store.get(&role).map(rules_in);
            found.ok_or_else(|| store.built_in(&role.plural).not_found(&role.name))?
        }
        _ => return Ok(()),
    };
    let own = rules_of(store, user, namespace);
    let has_action = |action: Action<'_>| own.iter().any(|rule| rule.allows(&action));
    let is_held = |rule: &Rule| {
        let has_path = |path: &String| {
            own.iter()
                .any(|own| rule.verbs.iter().all(|verb| own.allows_path(verb, path)))
        };
        rule.actions().into_iter().all(has_action) && rule.paths.iter().all(has_path)
    };
    if given.iter().all(is_held) {
        return Ok(());
    }
    let message = format!(
        "{} \"{name}\" is forbidden: user \"{}\" (groups={:?}) is attempting to grant RBAC permissions not currently held",
        resource.full_name(),
        user.name,
        user.groups
    );
    Err(Status::new(403, "Forbidden", message).about(resource, name))
}

/// What somebody has in a namespace, or in the whole cluster if it is empty.
fn rules_of(store: &Store, user: &User, namespace: &str) -> Vec<Rule> {
    let everything = Selector::default();
    let mut rules = vec![];
    for (plural, inside) in [("clusterrolebindings", ""), ("rolebindings", namespace)] {
        if plural == "rolebindings" && namespace.is_empty() {
            continue;
        }
        let resource = store.built_in(plural);
        for (key, binding) in store.list(&resource, inside, &everything) {
            let mut subjects = binding["subjects"].as_array().into_iter().flatten();
            if subjects.any(|subject| is_subject(user, subject)) {
                rules.extend(
                    store
                        .get(&role_of(binding, &key.namespace))
                        .map(rules_in)
                        .unwrap_or_default(),
                );
            }
        }
    }
    rules
}

fn role_of(binding: &Value, namespace: &str) -> Key {
    let reference = &binding["roleRef"];
    let is_cluster_role = reference["kind"] == "ClusterRole";
    Key {
        group: GROUP.to_owned(),
        plural: if is_cluster_role { "clusterroles" } else { "roles" }.to_owned(),
        namespace: if is_cluster_role { "" } else { namespace }.to_owned(),
        name: reference["name"].as_str().unwrap_or_default().to_owned(),
    }
}

fn rules_in(role: &Value) -> Vec<Rule> {
    role["rules"].as_array().into_iter().flatten().map(Rule::of).collect()
}

fn is_subject(user: &User, subject: &Value) -> bool {
    let text = |field: &str| subject[field].as_str().unwrap_or_default();
    match text("kind") {
        "User" => user.name == text("name"),
        "Group" => user.groups.iter().any(|group| group == text("name")),
        "ServiceAccount" => user.name == service_account(text("namespace"), text("name")),
        _ => false,
    }
}

/// The name under which a service account acts.
pub(super) fn service_account(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}
