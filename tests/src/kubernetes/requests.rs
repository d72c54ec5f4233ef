//! The log of requests: what a test can hold a client to.

use super::{access::Caller, call::Call};

/// A request that arrived.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub user_agent: String,
    /// Who sent it; `None` if nobody is known by its token or certificate.
    pub sender: Option<String>,
    /// As whom it was carried out; not the sender if somebody was impersonated.
    pub user: Option<String>,
    pub groups: Vec<String>,
    /// `None` while it has no answer.
    pub status: Option<u16>,
}

impl Request {
    pub(super) fn of(call: &Call) -> Self {
        Self {
            method: call.method.to_string(),
            path: call.uri.path().to_owned(),
            query: call.uri.query().unwrap_or_default().to_owned(),
            user_agent: call.header("user-agent").unwrap_or_default().to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn is_by(&mut self, caller: &Caller) {
        self.sender = Some(caller.own.name.clone());
        self.user = Some(caller.acting.name.clone());
        self.groups.clone_from(&caller.acting.groups);
    }

    #[must_use]
    pub fn is_write(&self) -> bool {
        self.method != "GET" && !self.path.contains("selfsubject")
    }

    #[must_use]
    pub fn is_impersonated(&self) -> bool {
        self.sender != self.user
    }
}
