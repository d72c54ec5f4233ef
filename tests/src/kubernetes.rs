//! A Kubernetes API of a test's own, in memory, that the real Helm and other clients take for a cluster.
//!
//! As a real one, it has discovery (also aggregated), objects with resource versions and conflicts, selectors, WATCH,
//! merge patches, strategic merge patches and server-side apply, dry runs, finalizers, custom resources, service accounts
//! with tokens, impersonation, and roles that are enforced. Bodies may be protobuf where Helm sends it. Controllers make
//! what follows from a workload, and make it ready or not: see [`Kubernetes::hold_workloads`], and images from a host
//! below `.invalid`, which nobody can have.
//!
//! Left out are schemas and most validation, admission plug-ins and quotas, conflicts between field managers, JSON
//! patches, aggregated roles, tables, pages of lists, and the slow ending of namespaces and pods.

mod access;
mod admission;
mod api;
mod beginning;
mod body;
mod call;
mod controllers;
mod discovery;
mod door;
mod faults;
mod patch;
mod protobuf;
mod rbac;
mod requests;
mod resource;
mod selector;
mod serve;
mod shared;
mod status;
mod store;
mod tls;
mod watch;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use self::{
    access::Credentials,
    door::Door,
    rbac::User,
    selector::Selector,
    shared::{Shared, State},
    tls::Authority,
};
pub use self::{
    faults::{Failure, Fault},
    requests::Request,
};

/// A cluster that is gone when this is dropped.
pub struct Kubernetes {
    shared: Arc<Shared>,
    /// The token of its owner, who may do everything.
    token: String,
    /// `None` if it is reached over plain HTTP.
    authority: Option<Authority>,
    door: Door,
}

impl Kubernetes {
    /// Starts a cluster on a free port of this machine.
    pub async fn start() -> Self {
        Self::start_with(Some(Authority::new())).await
    }

    /// Starts one that is reached over plain HTTP. Go clients, and so Helm, send no credentials over it.
    pub async fn start_without_tls() -> Self {
        Self::start_with(None).await
    }

    async fn start_with(authority: Option<Authority>) -> Self {
        let mut credentials = Credentials::default();
        let token = credentials.issue(owner());
        let acceptor = authority.as_ref().map(Authority::acceptor);
        let shared = Arc::new(Shared::new(credentials, acceptor));
        Self {
            door: Door::open(shared.clone()).await,
            shared,
            token,
            authority,
        }
    }

    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.door.address())
    }

    /// The token of the cluster's owner.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The kubeconfig of the cluster's owner, with a token.
    #[must_use]
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig_with(&self.token)
    }

    /// The kubeconfig of whoever has this token.
    #[must_use]
    pub fn kubeconfig_with(&self, token: &str) -> String {
        self.kubeconfig_of(&format!("token: {token}"))
    }

    /// The kubeconfig of the cluster's owner, with a client certificate.
    ///
    /// # Panics
    ///
    /// If the cluster is reached over plain HTTP.
    #[must_use]
    pub fn kubeconfig_with_certificate(&self) -> String {
        let authority = self.authority.as_ref().expect("certificates are a matter of TLS");
        let identity = authority.client("owner");
        let credentials = &mut self.shared.state().credentials;
        credentials.certify(identity.certificate.der(), owner());
        self.kubeconfig_of(&format!(
            "client-certificate-data: {}\n    client-key-data: {}",
            STANDARD.encode(identity.certificate.pem()),
            STANDARD.encode(identity.key.serialize_pem())
        ))
    }

    fn kubeconfig_of(&self, user: &str) -> String {
        let authority = self
            .authority
            .as_ref()
            .map(|authority| STANDARD.encode(authority.pem()));
        let authority = authority.map_or_else(String::new, |pem| format!("    certificate-authority-data: {pem}\n"));
        format!(
            "apiVersion: v1\nkind: Config\n\
             clusters:\n- name: standin\n  cluster:\n    server: {}\n{authority}\
             users:\n- name: owner\n  user:\n    {user}\n\
             contexts:\n- name: standin\n  context:\n    cluster: standin\n    user: owner\n\
             current-context: standin\n",
            self.url()
        )
    }

    /// A token for a service account that is there.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[must_use]
    pub fn token_of_account(&self, namespace: &str, name: &str) -> String {
        let mut state = self.shared.state();
        let State { store, credentials, .. } = &mut *state;
        let key = store.built_in("serviceaccounts").key(namespace, name);
        credentials.issue_to(store, key).expect("the account is there")
    }

    /// A token for a user with no roles but those that are bound to the name.
    #[must_use]
    pub fn token_of_user(&self, name: &str) -> String {
        self.shared.state().credentials.issue(User {
            name: name.to_owned(),
            groups: vec!["system:authenticated".to_owned()],
        })
    }

    /// From now on nobody is known by any token or certificate that was issued before.
    pub fn revoke_credentials(&self) {
        self.shared.state().credentials.revoke_all();
    }

    /// The UID of the namespace `kube-system`, by which a cluster is known.
    ///
    /// # Panics
    ///
    /// If somebody has deleted it.
    #[must_use]
    pub fn uid(&self) -> String {
        let system = self.get("namespaces", "", "kube-system").expect("every cluster has it");
        crate::text(&system, "/metadata/uid").to_owned()
    }

    /// Makes an object as the cluster's owner would, and answers what became of it.
    ///
    /// # Panics
    ///
    /// If it is of no kind that is known, or refused.
    pub fn create(&self, object: Value) -> Value {
        let mut state = self.shared.state();
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let is_of =
            |known: &&resource::Resource| known.kind == text("/kind") && known.api_version() == text("/apiVersion");
        let resource = state.store.resources().iter().find(is_of).cloned();
        let resource = resource.unwrap_or_else(|| panic!("{object:#} is of no known kind"));
        let namespace = text("/metadata/namespace").to_owned();
        let created = state.store.create(&resource, &namespace, object);
        self.shared.changed.send_replace(state.store.version());
        created.expect("the object is valid")
    }

    /// An object by the plural of its resource; its namespace is empty if it belongs to the cluster.
    #[must_use]
    pub fn get(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        let state = self.shared.state();
        let resource = state.store.built_in(plural);
        state.store.get(&resource.key(namespace, name)).cloned()
    }

    /// All objects of a resource in a namespace, or in all if it is empty.
    #[must_use]
    pub fn list(&self, plural: &str, namespace: &str) -> Vec<Value> {
        let state = self.shared.state();
        let resource = state.store.built_in(plural);
        let everything = Selector::default();
        let found = state.store.list(&resource, namespace, &everything);
        found.map(|(_, object)| object.clone()).collect()
    }

    /// Changes an object behind everybody's back.
    ///
    /// # Panics
    ///
    /// If it is not there, or not valid afterwards.
    pub fn change(&self, plural: &str, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let mut state = self.shared.state();
        let resource = state.store.built_in(plural);
        let key = resource.key(namespace, name);
        let mut object = state.store.get(&key).cloned().expect("it is there");
        change(&mut object);
        let changed = state.store.replace(&resource, &key, object, false);
        self.shared.changed.send_replace(state.store.version());
        changed.expect("the object is valid");
    }

    /// Deletes an object, and what belongs to it.
    pub fn delete(&self, plural: &str, namespace: &str, name: &str) {
        let mut state = self.shared.state();
        let key = state.store.built_in(plural).key(namespace, name);
        state.store.delete(&key, store::Dependents::Deleted);
        self.shared.changed.send_replace(state.store.version());
    }

    /// From now on no workload becomes ready, and no Job ends.
    pub fn hold_workloads(&self) {
        self.shared.state().store.holds_workloads = true;
    }

    /// All workloads become ready that can.
    pub fn let_workloads_go(&self) {
        let mut state = self.shared.state();
        state.store.holds_workloads = false;
        controllers::settle_all(&mut state.store);
        self.shared.changed.send_replace(state.store.version());
    }

    /// Makes something go wrong. If several faults are meant, the first of them hits.
    pub fn fail(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// Takes all faults away; what hangs goes on.
    pub fn heal(&self) {
        self.shared.state().faults.clear();
        self.shared.healed.send_modify(|times| *times += 1);
    }

    /// The requests that have arrived so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// Returns once so many requests have arrived.
    pub async fn until_requests(&self, count: usize) {
        // The sender is here, so it cannot be gone.
        let _ = self
            .shared
            .arrived
            .subscribe()
            .wait_for(|arrived| *arrived >= count)
            .await;
    }

    /// Breaks all connections off and refuses new ones.
    pub async fn disconnect(&self) {
        self.door.close().await;
    }

    /// Takes connections again, at the same address.
    pub fn connect(&self) {
        self.door.reopen();
    }
}

fn owner() -> User {
    User {
        name: "owner".to_owned(),
        groups: vec!["system:masters".to_owned(), "system:authenticated".to_owned()],
    }
}
