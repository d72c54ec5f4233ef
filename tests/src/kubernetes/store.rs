//! The objects, and how they came to be what they are.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use serde_json::{Value, json};

use super::{
    admission, controllers,
    resource::{self, Key, Resource},
    selector::Selector,
    status::Status,
};
use crate::person::fresh_id;

#[derive(Clone)]
pub(super) struct Store {
    resources: Vec<Resource>,
    objects: BTreeMap<Key, Value>,
    /// What each manager last applied to an object.
    applied: BTreeMap<(Key, String), Value>,
    history: Vec<Arc<Change>>,
    version: u64,
    /// Whether workloads wait to become ready until they may.
    pub(super) holds_workloads: bool,
}

/// What happened to an object, for those who watch.
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) key: Key,
    pub(super) before: Option<Value>,
    /// `None` once it is gone.
    pub(super) after: Option<Value>,
}

impl Store {
    /// A cluster as it is when it has been set up.
    pub(super) fn new() -> Self {
        let mut store = Self {
            resources: resource::built_in(),
            objects: BTreeMap::new(),
            applied: BTreeMap::new(),
            history: vec![],
            version: 1000,
            holds_workloads: false,
        };
        for (plural, object) in super::beginning::objects() {
            let resource = store.built_in(plural);
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
            store
                .create(&resource, &namespace, object)
                .expect("the first objects are valid");
        }
        store
    }

    pub(super) fn resources(&self) -> &[Resource] {
        &self.resources
    }

    pub(super) fn resource(&self, group: &str, version: &str, plural: &str) -> Option<Resource> {
        let is_it = |known: &&Resource| known.group == group && known.version == version && known.plural == plural;
        self.resources.iter().find(is_it).cloned()
    }

    /// A resource by its plural, which is unique among those that are built in.
    pub(super) fn built_in(&self, plural: &str) -> Resource {
        let found = self.resources.iter().find(|known| known.plural == plural);
        found.expect("controllers know the built-in resources only").clone()
    }

    /// The version of the newest change.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn changes_after(&self, version: u64) -> &[Arc<Change>] {
        let first = self.history.partition_point(|change| change.version <= version);
        &self.history[first..]
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Value> {
        self.objects.get(key)
    }

    /// Objects in the order of their names; of all namespaces if `namespace` is empty.
    pub(super) fn list<'a>(
        &'a self,
        resource: &'a Resource,
        namespace: &'a str,
        selector: &'a Selector,
    ) -> impl Iterator<Item = (&'a Key, &'a Value)> {
        self.objects.iter().filter(move |(key, object)| {
            key.is_of(resource) && (namespace.is_empty() || key.namespace == namespace) && selector.selects(object)
        })
    }

    /// The keys of what belongs to an object.
    pub(super) fn owned_by(&self, owner: &Value) -> Vec<Key> {
        let uid = &owner["metadata"]["uid"];
        let is_owned = |object: &Value| {
            let owners = object["metadata"]["ownerReferences"].as_array();
            owners.into_iter().flatten().any(|owner| &owner["uid"] == uid)
        };
        let owned = self.objects.iter().filter(|(_, object)| is_owned(object));
        owned.map(|(key, _)| key.clone()).collect()
    }

    /// # Errors
    ///
    /// As Kubernetes: 404 without its namespace, 409 if it is there already, 400 and 422 if it is not valid.
    pub(super) fn create(&mut self, resource: &Resource, namespace: &str, object: Value) -> Result<Value, Status> {
        let object = self.prepare(resource, namespace, object)?;
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let key = resource.key(namespace, name);
        if self.objects.contains_key(&key) {
            let message = format!("{} \"{name}\" already exists", resource.full_name());
            return Err(Status::new(409, "AlreadyExists", message).about(resource, name));
        }
        self.put(&key, object);
        match resource.plural.as_str() {
            "customresourcedefinitions" => self.define(&key),
            "namespaces" => self.furnish(&key.name)?,
            _ => controllers::settle(self, &key),
        }
        Ok(self.objects.get(&key).cloned().unwrap_or_default())
    }

    fn prepare(&self, resource: &Resource, namespace: &str, mut object: Value) -> Result<Value, Status> {
        settle_kind(resource, &mut object)?;
        let metadata = &mut object["metadata"];
        if metadata["name"].is_null() && metadata["generateName"].is_string() {
            let prefix = metadata["generateName"].as_str().unwrap_or_default();
            metadata["name"] = format!("{prefix}{}", self.version).into();
        }
        if resource.is_namespaced {
            if metadata["namespace"].as_str().unwrap_or(namespace) != namespace {
                let message = "the namespace of the provided object does not match the namespace sent on the request";
                return Err(Status::bad_request(message));
            }
            metadata["namespace"] = namespace.into();
            let namespaces = self.built_in("namespaces");
            let there = self.objects.get(&namespaces.key("", namespace));
            there.ok_or_else(|| namespaces.not_found(namespace))?;
        }
        if let Some(fields) = object.as_object_mut().filter(|_| resource.has_status()) {
            fields.remove("status");
        }
        admission::fill_in(resource, &mut object);
        admission::validate(resource, &object)?;
        let metadata = &mut object["metadata"];
        metadata["uid"] = fresh_id().to_string().into();
        metadata["creationTimestamp"] = now().into();
        if object.get("spec").is_some() {
            object["metadata"]["generation"] = 1.into();
        }
        Ok(object)
    }

    /// Puts `object` in the place of one that is there; only its status, if it is written by that subresource.
    ///
    /// # Errors
    ///
    /// 409 if another version was read than the one that is there; 422 if it is not valid.
    pub(super) fn replace(
        &mut self,
        resource: &Resource,
        key: &Key,
        mut object: Value,
        is_status: bool,
    ) -> Result<Value, Status> {
        let before = self
            .objects
            .get(key)
            .ok_or_else(|| resource.not_found(&key.name))?
            .clone();
        let read = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        if !read.is_empty() && before["metadata"]["resourceVersion"] != read {
            let message = format!(
                "Operation cannot be fulfilled on {} \"{}\": the object has been modified; please apply your changes to \
                 the latest version and try again",
                resource.full_name(),
                key.name
            );
            return Err(Status::new(409, "Conflict", message).about(resource, &key.name));
        }
        if is_status {
            let status = object["status"].take();
            object = before.clone();
            object["status"] = status;
        } else {
            settle_kind(resource, &mut object)?;
            admission::fill_in(resource, &mut object);
            keep(&before, &mut object, resource);
            admission::validate(resource, &object)?;
            admission::validate_change(resource, &before, &object)?;
        }
        if object != before {
            self.put(key, object);
            self.after_change(resource, key, is_status);
        }
        Ok(self.objects.get(key).cloned().unwrap_or_default())
    }

    fn after_change(&mut self, resource: &Resource, key: &Key, is_status: bool) {
        let is_deleted = self
            .objects
            .get(key)
            .is_some_and(|object| !object["metadata"]["deletionTimestamp"].is_null() && !has_finalizers(object));
        if is_deleted {
            self.remove(key, Dependents::Deleted);
        } else if resource.plural == "customresourcedefinitions" && !is_status {
            self.define(key);
        } else if !is_status {
            controllers::settle(self, key);
        }
    }

    /// What a controller finds out about an object.
    pub(super) fn set_status(&mut self, key: &Key, status: Value) {
        if let Some(object) = self.objects.get(key).filter(|object| object["status"] != status) {
            let mut object = object.clone();
            object["status"] = status;
            self.put(key, object);
        }
    }

    /// Deletes an object; while it has finalizers it is only marked. What it owns goes with it at once.
    pub(super) fn delete(&mut self, key: &Key, dependents: Dependents) {
        let Some(object) = self.objects.get(key) else { return };
        if has_finalizers(object) {
            let mut object = object.clone();
            if object["metadata"]["deletionTimestamp"].is_null() {
                object["metadata"]["deletionTimestamp"] = now().into();
                self.put(key, object);
            }
        } else {
            self.remove(key, dependents);
        }
    }

    fn remove(&mut self, key: &Key, dependents: Dependents) {
        let Some(before) = self.objects.remove(key) else { return };
        self.applied.retain(|(known, _), _| known != key);
        self.version += 1;
        let mut last = before.clone();
        last["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.remember(key, Some(last), None);
        if dependents == Dependents::Deleted {
            for owned in self.owned_by(&before) {
                self.delete(&owned, dependents);
            }
        }
        if key.plural == "namespaces" {
            let inside = self.objects.keys().filter(|inside| inside.namespace == key.name);
            for inside in inside.cloned().collect::<Vec<_>>() {
                self.delete(&inside, dependents);
            }
        }
        if key.plural == "customresourcedefinitions" {
            self.forget(&before);
        }
    }

    /// What a manager applied the last time; replaced by what it applies now.
    pub(super) fn applied(&mut self, key: &Key, manager: &str, wanted: Value) -> Value {
        let place = (key.clone(), manager.to_owned());
        self.applied.insert(place, wanted).unwrap_or_default()
    }

    fn put(&mut self, key: &Key, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let before = self.objects.insert(key.clone(), object.clone());
        self.remember(key, before, Some(object));
    }

    fn remember(&mut self, key: &Key, before: Option<Value>, after: Option<Value>) {
        self.history.push(Arc::new(Change {
            version: self.version,
            key: key.clone(),
            before,
            after,
        }));
    }

    /// What every namespace has from its beginning.
    fn furnish(&mut self, namespace: &str) -> Result<(), Status> {
        for (plural, object) in [
            ("serviceaccounts", json!({ "metadata": { "name": "default" } })),
            ("configmaps", json!({ "metadata": { "name": "kube-root-ca.crt" } })),
        ] {
            let resource = self.built_in(plural);
            self.create(&resource, namespace, object)?;
        }
        Ok(())
    }

    fn define(&mut self, key: &Key) {
        let definition = self.objects.get(key).cloned().unwrap_or_default();
        self.resources.retain(|known| !is_defined_by(known, &definition));
        self.resources.extend(resource::defined_by(&definition));
        let condition = |kind| json!({ "type": kind, "status": "True" });
        let names = &definition["spec"]["names"];
        let conditions = [condition("NamesAccepted"), condition("Established")];
        self.set_status(key, json!({ "acceptedNames": names, "conditions": conditions }));
    }

    fn forget(&mut self, definition: &Value) {
        for resource in resource::defined_by(definition) {
            let keys = self.objects.keys().filter(|key| key.is_of(&resource));
            for key in keys.cloned().collect::<Vec<_>>() {
                self.delete(&key, Dependents::Deleted);
            }
        }
        self.resources.retain(|known| !is_defined_by(known, definition));
    }
}

/// What happens to the objects that belong to one that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dependents {
    Deleted,
    Orphaned,
}

/// Fills in kind and API version, or refuses those of another resource.
fn settle_kind(resource: &Resource, object: &mut Value) -> Result<(), Status> {
    for (field, expected) in [("kind", resource.kind.clone()), ("apiVersion", resource.api_version())] {
        let said = object[field].as_str().unwrap_or(&expected);
        if said != expected && !said.is_empty() {
            let message = format!("{field} in the request is {said}, and {expected} was expected");
            return Err(Status::bad_request(message));
        }
        object[field] = expected.into();
    }
    Ok(())
}

/// What a write cannot change stays; the generation counts changes of what is wanted.
fn keep(before: &Value, object: &mut Value, resource: &Resource) {
    for field in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "generation",
        "name",
        "namespace",
    ] {
        if !before["metadata"][field].is_null() {
            object["metadata"][field] = before["metadata"][field].clone();
        }
    }
    object["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
    if resource.has_status() && !before["status"].is_null() {
        object["status"] = before["status"].clone();
    }
    if object["spec"] != before["spec"] {
        let generation = before["metadata"]["generation"].as_u64().unwrap_or_default();
        object["metadata"]["generation"] = (generation + 1).into();
    }
}

fn is_defined_by(resource: &Resource, definition: &Value) -> bool {
    let spec = &definition["spec"];
    spec["group"] == resource.group && spec["names"]["plural"] == resource.plural
}

fn has_finalizers(object: &Value) -> bool {
    let finalizers = object["metadata"]["finalizers"].as_array();
    finalizers.is_some_and(|finalizers| !finalizers.is_empty())
}

pub(super) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
