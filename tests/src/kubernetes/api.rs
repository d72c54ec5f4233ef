//! What is done about a request, once it is known who asks.

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    access::{self, Credentials},
    body,
    call::{Call, Place},
    discovery, patch,
    rbac::{self, Action, User},
    resource::Key,
    selector::Selector,
    status::Status,
    store::{Dependents, Store},
    watch::Watch,
};

pub(super) enum Answer {
    Json(u16, Value),
    /// Bytes of this media type.
    Bytes(&'static str, Vec<u8>),
    Watch(Box<Watch>),
}

/// Carries out a request.
///
/// # Errors
///
/// As Kubernetes refuses it.
pub(super) fn perform(
    store: &mut Store,
    credentials: &mut Credentials,
    user: &User,
    call: &Call,
) -> Result<Answer, Status> {
    if let Some(answer) = review(store, user, call)? {
        return Ok(answer);
    }
    let Some(place) = call.place(store) else {
        return document(store, user, call);
    };
    let resource = place.resource_name();
    let action = Action {
        verb: call.verb(&place),
        group: &place.resource.group,
        resource: &resource,
        namespace: &place.namespace,
        name: &place.name,
    };
    rbac::authorize(store, user, &action)?;
    let request = Request {
        call,
        place: &place,
        user,
    };
    if call.parameter("dryRun") == Some("All") {
        return request.carry_out(&mut store.clone(), credentials);
    }
    request.carry_out(store, credentials)
}

/// Paths that are no objects.
fn document(store: &Store, user: &User, call: &Call) -> Result<Answer, Status> {
    if !rbac::allows_path(store, user, "get", call.path()) {
        let message = format!("forbidden: User \"{}\" cannot get path \"{}\"", user.name, call.path());
        return Err(Status::new(403, "Forbidden", message));
    }
    discovery::document(call, store.resources()).ok_or_else(Status::unknown_path)
}

/// Questions about oneself, which everybody may ask.
fn review(store: &Store, user: &User, call: &Call) -> Result<Option<Answer>, Status> {
    let status = match call.path() {
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => {
            let asked = body::object(&call.body)?["spec"]["resourceAttributes"].take();
            let text = |field: &str| asked[field].as_str().unwrap_or_default();
            let resource = match text("subresource") {
                "" => text("resource").to_owned(),
                subresource => format!("{}/{subresource}", text("resource")),
            };
            let action = Action {
                verb: text("verb"),
                group: text("group"),
                resource: &resource,
                namespace: text("namespace"),
                name: text("name"),
            };
            json!({ "allowed": rbac::allows(store, user, &action) })
        }
        "/apis/authentication.k8s.io/v1/selfsubjectreviews" => access::user_info(user),
        _ => return Ok(None),
    };
    let mut answer = body::object(&call.body)?;
    answer["status"] = status;
    Ok(Some(Answer::Json(201, answer)))
}

struct Request<'a> {
    call: &'a Call,
    place: &'a Place,
    user: &'a User,
}

impl Request<'_> {
    fn carry_out(&self, store: &mut Store, credentials: &mut Credentials) -> Result<Answer, Status> {
        let Self { call, place, .. } = self;
        let key = place.key();
        match (&call.method, place.name.as_str(), place.subresource.as_str()) {
            (&Method::GET, "", "") if call.is_set("watch") => {
                Ok(Answer::Watch(Box::new(Watch::of(store, call, place)?)))
            }
            (&Method::GET, "", "") => self.list(store),
            (&Method::POST, "", "") => self.create(store),
            (&Method::DELETE, "", "") => self.delete_all(store),
            (&Method::POST, _, "token") if place.resource.plural == "serviceaccounts" => issue(store, credentials, key),
            (&Method::GET, _, "log") if place.resource.plural == "pods" => {
                let _ = self.found(store, &key)?;
                Ok(Answer::Bytes("text/plain", b"nothing to say\n".to_vec()))
            }
            (&Method::GET, _, "" | "status") => Ok(Answer::Json(200, self.found(store, &key)?)),
            (&Method::PUT, _, "" | "status") => {
                let object = body::object(&call.body)?;
                self.replace(store, &key, object)
            }
            (&Method::PATCH, _, "" | "status") => self.patch(store, &key),
            (&Method::DELETE, _, "") => self.delete(store, &key),
            (_, _, "" | "status") => Err(Status::new(405, "MethodNotAllowed", "the method is not allowed here")),
            _ => Err(Status::unknown_path()),
        }
    }

    fn found(&self, store: &Store, key: &Key) -> Result<Value, Status> {
        let found = store.get(key).cloned();
        found.ok_or_else(|| self.place.resource.not_found(&key.name))
    }

    fn selector(&self) -> Result<Selector, Status> {
        Selector::of(
            self.call.parameter("labelSelector"),
            self.call.parameter("fieldSelector"),
        )
    }

    fn list(&self, store: &Store) -> Result<Answer, Status> {
        let (resource, selector) = (&self.place.resource, self.selector()?);
        let found = store.list(resource, &self.place.namespace, &selector);
        let items: Vec<_> = found.map(|(_, object)| object.clone()).collect();
        let list = json!({
            "kind": format!("{}List", resource.kind),
            "apiVersion": resource.api_version(),
            "metadata": { "resourceVersion": store.version().to_string() },
            "items": items,
        });
        Ok(Answer::Json(200, list))
    }

    fn create(&self, store: &mut Store) -> Result<Answer, Status> {
        let object = body::object(&self.call.body)?;
        self.refuse_escalation(store, &object)?;
        let created = store.create(&self.place.resource, &self.place.namespace, object)?;
        Ok(Answer::Json(201, created))
    }

    fn replace(&self, store: &mut Store, key: &Key, object: Value) -> Result<Answer, Status> {
        self.refuse_escalation(store, &object)?;
        let is_status = self.place.subresource == "status";
        let replaced = store.replace(&self.place.resource, key, object, is_status)?;
        Ok(Answer::Json(200, replaced))
    }

    fn patch(&self, store: &mut Store, key: &Key) -> Result<Answer, Status> {
        let kind = self.call.header("content-type").unwrap_or_default();
        let change = body::object(&self.call.body)?;
        if kind.starts_with("application/apply-patch+") {
            return self.apply(store, key, change);
        }
        let mut object = self.found(store, key)?;
        match kind {
            "application/merge-patch+json" => patch::json_merge(&mut object, &change),
            "application/strategic-merge-patch+json" => patch::strategic_merge(&mut object, &change),
            _ => return Err(Status::unsupported(format!("{kind} is no kind of patch known here"))),
        }
        self.replace(store, key, object)
    }

    /// Server-side apply; makes the object if it is not there.
    fn apply(&self, store: &mut Store, key: &Key, mut wanted: Value) -> Result<Answer, Status> {
        let manager = self.call.parameter("fieldManager").unwrap_or_default();
        if manager.is_empty() {
            return Err(Status::bad_request(
                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value",
            ));
        }
        wanted["metadata"]["name"] = key.name.clone().into();
        let Some(mut object) = store.get(key).cloned() else {
            let action = Action {
                verb: "create",
                group: &key.group,
                resource: &key.plural,
                namespace: &key.namespace,
                name: &key.name,
            };
            rbac::authorize(store, self.user, &action)?;
            self.refuse_escalation(store, &wanted)?;
            let created = store.create(&self.place.resource, &key.namespace, wanted.clone())?;
            store.applied(key, manager, wanted);
            return Ok(Answer::Json(201, created));
        };
        let before = store.applied(key, manager, wanted.clone());
        patch::apply(&mut object, &before, &wanted);
        self.replace(store, key, object)
    }

    fn delete(&self, store: &mut Store, key: &Key) -> Result<Answer, Status> {
        let object = self.found(store, key)?;
        let options = body::options(&self.call.body)?;
        for field in ["uid", "resourceVersion"] {
            let expected = options["preconditions"][field].as_str().unwrap_or_default();
            if !expected.is_empty() && object["metadata"][field] != expected {
                let message = format!("Precondition failed: {field} is not {expected}");
                return Err(Status::new(409, "Conflict", message).about(&self.place.resource, &key.name));
            }
        }
        store.delete(key, self.dependents(&options));
        let kept = store.get(key).cloned();
        let details = json!({ "name": key.name, "kind": key.plural, "uid": object["metadata"]["uid"] });
        Ok(Answer::Json(200, kept.unwrap_or_else(|| success(&details))))
    }

    fn delete_all(&self, store: &mut Store) -> Result<Answer, Status> {
        let options = body::options(&self.call.body)?;
        let selector = self.selector()?;
        let found = store.list(&self.place.resource, &self.place.namespace, &selector);
        let keys: Vec<_> = found.map(|(key, _)| key.clone()).collect();
        for key in keys {
            store.delete(&key, self.dependents(&options));
        }
        Ok(Answer::Json(200, success(&json!({}))))
    }

    fn dependents(&self, options: &Value) -> Dependents {
        let policy = options["propagationPolicy"].as_str();
        let policy = policy.or_else(|| self.call.parameter("propagationPolicy"));
        if policy == Some("Orphan") {
            Dependents::Orphaned
        } else {
            Dependents::Deleted
        }
    }

    fn refuse_escalation(&self, store: &Store, object: &Value) -> Result<(), Status> {
        rbac::refuse_escalation(store, self.user, &self.place.resource, &self.place.namespace, object)
    }
}

/// A token for a service account. It does not expire; it ends with its account.
fn issue(store: &Store, credentials: &mut Credentials, account: Key) -> Result<Answer, Status> {
    let token = credentials.issue_to(store, account)?;
    let status = json!({ "token": token, "expirationTimestamp": "2099-01-01T00:00:00Z" });
    let request =
        json!({ "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {}, "status": status });
    Ok(Answer::Json(201, request))
}

fn success(details: &Value) -> Value {
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}
