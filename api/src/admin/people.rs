//! Accounts, and what opens them, from the data folder.

use std::{fmt, time::Duration};

use domain::{
    ids::TokenId,
    names::{AccountName, RoleName},
    role,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::request::{Admin, AdminAnswer, AdminError, done};
use crate::{
    auth::{
        self,
        passwords::{NewPassword, PasswordError},
    },
    clock,
    commands::{BlockAccount, CreateAccount, EraseAccount, IssueToken, LinkIdentity, ResetPassword, UnblockAccount},
    ids,
};

/// Text on its way through the socket, of which nothing is shown.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The token to make.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewToken {
    pub account: AccountName,
    /// What to call it.
    pub name: Option<String>,
    /// All that it is to allow; `None` for one that is not narrowed.
    pub permissions: Option<Vec<String>>,
    pub lifetime: Option<Duration>,
}

impl Admin<'_> {
    pub(super) async fn create_account(
        &self,
        name: AccountName,
        role: Option<RoleName>,
    ) -> Result<AdminAnswer, AdminError> {
        let as_role = role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
        let message = format!("account {name} created{as_role}");
        let password = None;
        self.create(&CreateAccount { name, role, password }, message).await
    }

    pub(super) async fn create_token(&self, asked: NewToken) -> Result<AdminAnswer, AdminError> {
        let NewToken {
            account: name,
            permissions,
            lifetime,
            ..
        } = asked;
        let account = self.account(&name).await?;
        let secret = auth::new_token().map_err(|error| AdminError::new("INTERNAL", error))?;
        let token = TokenId::from_uuid(ids::fresh());
        let too_long = || AdminError::new("LIFETIME_TOO_LONG", "there is no time so far ahead");
        let expires = lifetime
            .map(|lifetime| clock::after(lifetime).ok_or_else(too_long))
            .transpose()?;
        let permissions = permissions.map(|named| role::permissions_named(&named)).transpose();
        self.run(&IssueToken {
            account,
            token,
            name: asked.name,
            permissions: permissions.map_err(|error| AdminError::new("PERMISSION_UNKNOWN", error))?,
            expires,
            secret: auth::secret_of(&secret),
        })
        .await?;
        let until = expires.map_or_else(|| "until it is revoked".to_owned(), |at| format!("until {at}"));
        Ok(AdminAnswer {
            id: Some(token.to_string()),
            token: Some(secret.to_string()),
            ..done(format!(
                "token {token} for {name}, valid {until}; it is shown only this once"
            ))
        })
    }

    /// Sets a password, or draws one and shows it.
    pub(super) async fn set_password(
        &self,
        name: AccountName,
        given: Option<Secret>,
    ) -> Result<AdminAnswer, AdminError> {
        let account = self.account(&name).await?;
        let drawn = match given {
            Some(_) => None,
            None => Some(auth::new_secret().map_err(|error| AdminError::new("INTERNAL", error))?),
        };
        let text = given.map(|given| Zeroizing::new(given.0)).or_else(|| drawn.clone());
        let password = self.prepared(text.unwrap_or_default()).await?;
        self.run(&ResetPassword { account, password }).await?;
        let shown = if drawn.is_some() {
            "; it is shown only this once"
        } else {
            ""
        };
        Ok(AdminAnswer {
            password: drawn.map(|drawn| drawn.to_string()),
            ..done(format!(
                "the password of {name} is set, and its sessions are over{shown}"
            ))
        })
    }

    async fn prepared(&self, text: Zeroizing<String>) -> Result<NewPassword, AdminError> {
        let prepared = self.services.auth.passwords.prepare(text).await;
        prepared.map_err(|error| match &error {
            PasswordError::Weak(weak) => AdminError::new(weak.code(), weak),
            PasswordError::Failed(_) => AdminError::new("INTERNAL", error),
        })
    }

    pub(super) async fn link(&self, name: AccountName, issuer: &str, subject: &str) -> Result<AdminAnswer, AdminError> {
        let account = self.account(&name).await?;
        let identity = self.services.key.of_identity(issuer, subject);
        self.run(&LinkIdentity { account, identity }).await?;
        Ok(done(format!("whom {issuer} calls {subject} signs in as {name}")))
    }

    pub(super) async fn block(&self, name: AccountName) -> Result<AdminAnswer, AdminError> {
        let account = self.account(&name).await?;
        self.run(&BlockAccount { account }).await?;
        Ok(done(format!("nothing opens {name} any more; its sessions are over")))
    }

    pub(super) async fn unblock(&self, name: AccountName) -> Result<AdminAnswer, AdminError> {
        let account = self.account(&name).await?;
        self.run(&UnblockAccount { account }).await?;
        Ok(done(format!("{name} can be signed in to again")))
    }

    pub(super) async fn erase(&self, name: AccountName) -> Result<AdminAnswer, AdminError> {
        let account = self.account(&name).await?;
        let confirmed = Some(name);
        self.run(&EraseAccount { account, confirmed }).await?;
        self.finish_erasures().await?;
        let list = self.services.data.erasures();
        let message = format!(
            "the account is erased; the erasure is complete when the last backup made before has expired. Keep {}: it is \
             applied again after a restore",
            list.display()
        );
        Ok(done(message))
    }
}
