//! WATCH: what happens to the objects of a list, as it happens.

use std::{sync::Arc, time::Duration};

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::{
    call::{Call, Place},
    resource::Resource,
    selector::Selector,
    shared::Shared,
    status::Status,
    store::{Change, Store},
};

/// How long a watch lasts if the client does not say.
const DURATION: Duration = Duration::from_secs(300);

/// What is watched, and what the watcher has seen.
pub(super) struct Watch {
    resource: Resource,
    namespace: String,
    selector: Selector,
    /// What is told first, one event per line.
    first: Vec<Value>,
    seen: u64,
    duration: Duration,
}

impl Watch {
    /// Without a version, and when it is asked for, what is there is told first.
    ///
    /// # Errors
    ///
    /// 400 for a malformed selector or version.
    pub(super) fn of(store: &Store, call: &Call, place: &Place) -> Result<Self, Status> {
        let selector = Selector::of(call.parameter("labelSelector"), call.parameter("fieldSelector"))?;
        let from = call.parameter("resourceVersion").unwrap_or_default();
        let tells_all = call.is_set("sendInitialEvents");
        let mut first = vec![];
        let mut seen = store.version();
        if tells_all || matches!(from, "" | "0") {
            let found = store.list(&place.resource, &place.namespace, &selector);
            first.extend(found.map(|(_, object)| event("ADDED", object)));
        } else {
            let invalid = |_| Status::bad_request(format!("resourceVersion: Invalid value: {from:?}"));
            seen = from.parse().map_err(invalid)?;
        }
        if tells_all {
            first.push(event("BOOKMARK", &bookmark(&place.resource, seen)));
        }
        let seconds = call
            .parameter("timeoutSeconds")
            .and_then(|seconds| seconds.parse().ok());
        Ok(Self {
            resource: place.resource.clone(),
            namespace: place.namespace.clone(),
            selector,
            first,
            seen,
            duration: seconds.map_or(DURATION, Duration::from_secs),
        })
    }

    /// The answer, which ends when its time is over.
    pub(super) fn body(self, shared: Arc<Shared>) -> Body {
        let until = Instant::now() + self.duration;
        let changed = shared.changed.subscribe();
        let state = (self, shared, changed);
        let lines = stream::unfold(state, move |(mut watch, shared, mut changed)| async move {
            loop {
                changed.mark_unchanged();
                let lines = watch.news(&shared);
                if !lines.is_empty() {
                    return Some((
                        Ok::<_, std::convert::Infallible>(Bytes::from(lines)),
                        (watch, shared, changed),
                    ));
                }
                // Its time is over, or the server is gone.
                timeout_at(until, changed.changed()).await.ok()?.ok()?;
            }
        });
        Body::from_stream(lines)
    }

    fn news(&mut self, shared: &Shared) -> String {
        let mut events = std::mem::take(&mut self.first);
        let state = shared.state();
        let changes = state.store.changes_after(self.seen);
        events.extend(changes.iter().filter_map(|change| self.told(change)));
        self.seen = self.seen.max(state.store.version());
        events.iter().map(|event| format!("{event}\n")).collect()
    }

    /// What a watcher is told of a change: an object may also come and go by no longer being what is asked for.
    fn told(&self, change: &Change) -> Option<Value> {
        let is_listed =
            change.key.is_of(&self.resource) && (self.namespace.is_empty() || self.namespace == change.key.namespace);
        let selected = |object: &Option<Value>| {
            object
                .clone()
                .filter(|object| is_listed && self.selector.selects(object))
        };
        match (selected(&change.before), selected(&change.after)) {
            (None, None) => None,
            (None, Some(after)) => Some(event("ADDED", &after)),
            (Some(_), Some(after)) => Some(event("MODIFIED", &after)),
            (Some(before), None) => Some(event("DELETED", change.after.as_ref().unwrap_or(&before))),
        }
    }
}

fn event(kind: &str, object: &Value) -> Value {
    json!({ "type": kind, "object": object })
}

/// Says that everything that was there has been told.
fn bookmark(resource: &Resource, version: u64) -> Value {
    json!({
        "kind": resource.kind,
        "apiVersion": resource.api_version(),
        "metadata": {
            "resourceVersion": version.to_string(),
            "annotations": { "k8s.io/initial-events-end": "true" },
        },
    })
}
