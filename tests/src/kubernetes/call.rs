//! A request as it arrived.

use std::collections::BTreeMap;

use axum::{
    body::to_bytes,
    extract::{Query, Request},
    http::{HeaderMap, Method, Uri},
};

use super::{
    resource::{Key, Resource},
    status::Status,
    store::Store,
};

/// As the API server's own limit.
const BODY_MAX_BYTES: usize = 3 * 1024 * 1024;

pub(super) struct Call {
    pub(super) method: Method,
    pub(super) uri: Uri,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
    query: BTreeMap<String, String>,
}

/// The object, or the list of objects if `name` is empty, that a path names.
pub(super) struct Place {
    pub(super) resource: Resource,
    /// Empty for what belongs to the cluster, and for a list across all namespaces.
    pub(super) namespace: String,
    pub(super) name: String,
    /// Such as `status`; empty for the object itself.
    pub(super) subresource: String,
}

impl Call {
    /// # Errors
    ///
    /// 413 if the body is too large.
    pub(super) async fn read(request: Request) -> Result<Self, Status> {
        let (head, body) = request.into_parts();
        let query = Query::<BTreeMap<String, String>>::try_from_uri(&head.uri);
        let body = to_bytes(body, BODY_MAX_BYTES).await;
        let too_large = |_| Status::new(413, "RequestEntityTooLarge", "limit is 3145728");
        Ok(Self {
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            body: body.map_err(too_large)?.to_vec(),
            query: query.map(|Query(query)| query).unwrap_or_default(),
        })
    }

    pub(super) fn path(&self) -> &str {
        self.uri.path().trim_end_matches('/')
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        matches!(self.parameter(name), Some("true" | "1"))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn headers(&self, name: &str) -> Vec<&str> {
        let values = self.headers.get_all(name).iter();
        values.filter_map(|value| value.to_str().ok()).collect()
    }

    pub(super) fn bearer_token(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The verb by which roles name what is done.
    pub(super) fn verb(&self, place: &Place) -> &'static str {
        let is_list = place.name.is_empty();
        match self.method.as_str() {
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" if is_list => "deletecollection",
            "DELETE" => "delete",
            _ if is_list && self.is_set("watch") => "watch",
            _ if is_list => "list",
            _ => "get",
        }
    }

    /// What the path names, if it is an object.
    pub(super) fn place(&self, store: &Store) -> Option<Place> {
        let mut parts = self.path().split('/').skip(1);
        let (group, version) = match parts.next()? {
            "api" => ("", parts.next()?),
            "apis" => (parts.next()?, parts.next()?),
            _ => return None,
        };
        let parts: Vec<_> = parts.collect();
        let of = |plural: &str| store.resource(group, version, plural);
        // What comes after a namespace's name is a resource in it, or a subresource of its own.
        if let ["namespaces", namespace, plural, rest @ ..] = parts.as_slice()
            && let Some(resource) = of(plural).filter(|resource| resource.is_namespaced)
        {
            return Some(Place::at(resource, namespace, rest));
        }
        let (plural, rest) = parts.split_first()?;
        let resource = of(plural)?;
        // A namespace is inside itself as far as roles go.
        let namespace = if *plural == "namespaces" {
            rest.first().copied()
        } else {
            None
        };
        Some(Place::at(resource, namespace.unwrap_or_default(), rest))
    }
}

impl Place {
    fn at(resource: Resource, namespace: &str, rest: &[&str]) -> Self {
        let part = |at: usize| rest.get(at).copied().unwrap_or_default().to_owned();
        Self {
            resource,
            namespace: namespace.to_owned(),
            name: part(0),
            subresource: part(1),
        }
    }

    pub(super) fn key(&self) -> Key {
        self.resource.key(&self.namespace, &self.name)
    }

    /// As roles name it: `pods`, `pods/log`.
    pub(super) fn resource_name(&self) -> String {
        match self.subresource.as_str() {
            "" => self.resource.plural.clone(),
            subresource => format!("{}/{subresource}", self.resource.plural),
        }
    }
}
