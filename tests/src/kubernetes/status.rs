//! Refusals, in the words of Kubernetes.

use serde_json::{Value, json};

use super::resource::Resource;

/// Why something was not done; what a client gets instead of an object.
#[derive(Debug, Clone)]
pub(super) struct Status {
    pub(super) code: u16,
    reason: &'static str,
    message: String,
    details: Value,
}

impl Status {
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: json!({}),
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(super) fn unknown_path() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    pub(super) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// Names the object it is about.
    pub(super) fn about(self, resource: &Resource, name: &str) -> Self {
        let details = json!({ "name": name, "group": resource.group, "kind": resource.plural });
        Self { details, ..self }
    }

    pub(super) fn body(&self) -> Value {
        json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        })
    }
}
