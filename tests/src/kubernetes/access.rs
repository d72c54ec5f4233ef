//! Who asks, and as whom.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    call::Call,
    rbac::{self, Action, User},
    resource::Key,
    status::Status,
    store::Store,
};
use crate::person::fresh_id;

/// The tokens and certificates that were issued and are good.
#[derive(Default)]
pub(super) struct Credentials {
    tokens: BTreeMap<String, Holder>,
    /// By their bytes: what else is in a certificate matters to nobody here.
    certificates: BTreeMap<Vec<u8>, User>,
}

enum Holder {
    User(User),
    /// A token of a service account is good as long as the account is there.
    ServiceAccount {
        key: Key,
        uid: String,
    },
}

/// Who sent a request, and as whom it is carried out.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) own: User,
    pub(super) acting: User,
}

impl Credentials {
    pub(super) fn issue(&mut self, user: User) -> String {
        self.keep(Holder::User(user))
    }

    /// # Errors
    ///
    /// 404 if there is no such account.
    pub(super) fn issue_to(&mut self, store: &Store, account: Key) -> Result<String, Status> {
        let object = store.get(&account);
        let object = object.ok_or_else(|| store.built_in("serviceaccounts").not_found(&account.name))?;
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        Ok(self.keep(Holder::ServiceAccount { key: account, uid }))
    }

    fn keep(&mut self, holder: Holder) -> String {
        let token = format!("token-{}", fresh_id().simple());
        self.tokens.insert(token.clone(), holder);
        token
    }

    /// Lets whoever comes with this certificate be this user.
    pub(super) fn certify(&mut self, certificate: &[u8], user: User) {
        self.certificates.insert(certificate.to_vec(), user);
    }

    pub(super) fn revoke_all(&mut self) {
        *self = Self::default();
    }

    fn holder(&self, store: &Store, token: &str) -> Option<User> {
        match self.tokens.get(token)? {
            Holder::User(user) => Some(user.clone()),
            Holder::ServiceAccount { key, uid } => {
                let is_there = store.get(key).is_some_and(|account| account["metadata"]["uid"] == *uid);
                is_there.then(|| account_user(&key.namespace, &key.name))
            }
        }
    }
}

fn account_user(namespace: &str, name: &str) -> User {
    User {
        name: rbac::service_account(namespace, name),
        groups: account_groups(namespace),
    }
}

fn account_groups(namespace: &str) -> Vec<String> {
    vec![
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{namespace}"),
        "system:authenticated".to_owned(),
    ]
}

/// Finds out who asks: by the certificate of the connection or by the token, and then by impersonation.
///
/// # Errors
///
/// 401 if nobody is known by it, 403 if they may not be whom they say.
pub(super) fn identify(
    store: &Store,
    credentials: &Credentials,
    certificate: Option<&[u8]>,
    call: &Call,
) -> Result<Caller, Status> {
    let by_certificate = certificate.and_then(|bytes| credentials.certificates.get(bytes).cloned());
    let by_token = || call.bearer_token().and_then(|token| credentials.holder(store, token));
    let own = by_certificate.or_else(by_token).ok_or_else(Status::unauthorized)?;
    let acting = impersonated(store, &own, call)?.unwrap_or_else(|| own.clone());
    Ok(Caller { own, acting })
}

fn impersonated(store: &Store, own: &User, call: &Call) -> Result<Option<User>, Status> {
    let groups = call.headers("impersonate-group");
    let Some(name) = call.header("impersonate-user") else {
        let is_nobody = groups.is_empty();
        let refusal = || Status::bad_request("groups are impersonated together with a user only");
        return is_nobody.then_some(None).ok_or_else(refusal);
    };
    let may_be = |resource, namespace, name| {
        let action = Action {
            verb: "impersonate",
            group: "",
            resource,
            namespace,
            name,
        };
        rbac::authorize(store, own, &action)
    };
    let account = name
        .strip_prefix("system:serviceaccount:")
        .and_then(|rest| rest.split_once(':'));
    match account {
        Some((namespace, account)) => may_be("serviceaccounts", namespace, account)?,
        None => may_be("users", "", name)?,
    }
    for group in &groups {
        may_be("groups", "", group)?;
    }
    let mut groups: Vec<_> = groups.into_iter().map(str::to_owned).collect();
    match account {
        Some((namespace, _)) if groups.is_empty() => groups = account_groups(namespace),
        _ if groups.iter().any(|group| group == "system:authenticated") => {}
        _ => groups.push("system:authenticated".to_owned()),
    }
    let name = name.to_owned();
    Ok(Some(User { name, groups }))
}

/// What somebody learns about themselves: the answer to a `SelfSubjectReview`.
pub(super) fn user_info(user: &User) -> serde_json::Value {
    json!({ "userInfo": { "username": user.name, "groups": user.groups } })
}
