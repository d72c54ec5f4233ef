//! What opens an account: its tokens and its sessions, for its owner and for whoever manages accounts.

use std::collections::HashMap;

use async_graphql::{Context, Enum, Object};
use chrono::{DateTime, Utc};
use domain::{
    access::Place,
    ids::{AccountId, TokenId},
    permission::Permission,
    session::Method,
};
use projections::{access::Key, sessions, tokens};
use uuid::Uuid;

use super::{
    accounts::unseal,
    error::{ApiError, Result},
    viewer::{key, read, services, viewer},
};
use crate::clock;

/// Whether the viewer may see what opens an account.
pub fn sees_credentials(ctx: &Context<'_>, account: AccountId) -> Result<bool> {
    let viewer = viewer(ctx)?;
    let is_own = viewer.account == account && viewer.own_affairs().is_ok();
    Ok(is_own || viewer.may(Permission::AccountManage, Place::Platform))
}

/// A token, and when it was last used.
pub struct Token {
    row: tokens::Token,
    last_used: Option<DateTime<Utc>>,
}

impl Token {
    /// The tokens of an account that were not revoked, the newest first.
    pub async fn of(ctx: &Context<'_>, account: AccountId) -> Result<Vec<Self>> {
        let rows = read(ctx, move |view| tokens::tokens(view, account)).await?;
        Self::with_last_use(ctx, rows.into_iter().filter(|row| row.revoked.is_none()).collect()).await
    }

    pub async fn load(ctx: &Context<'_>, id: TokenId) -> Result<Option<Self>> {
        let row = read(ctx, move |view| tokens::token(view, id)).await?;
        Ok(Self::with_last_use(ctx, row.into_iter().collect()).await?.pop())
    }

    async fn with_last_use(ctx: &Context<'_>, rows: Vec<tokens::Token>) -> Result<Vec<Self>> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let services = services(ctx);
        let used: HashMap<_, _> = services.auth.last_use.of(&services.log, &ids).await?;
        let token = |row: tokens::Token| Self {
            last_used: used.get(&row.id).copied(),
            row,
        };
        Ok(rows.into_iter().map(token).collect())
    }

    /// Whether it is the token with this id.
    pub fn is(&self, id: TokenId) -> bool {
        self.row.id == id
    }
}

/// A bearer token of an account. What it is sent as is shown only when it is made.
#[Object]
impl Token {
    /// What `revokeToken` takes.
    async fn id(&self) -> Uuid {
        self.row.id.as_uuid()
    }

    /// What its owner calls it.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.row.name {
            Some(name) => unseal(ctx, name).await,
            None => Ok(None),
        }
    }

    /// All that it allows, as far as the account's roles do; absent for one that allows all that they do.
    async fn permissions(&self) -> Option<Vec<&'static str>> {
        let permissions = self.row.permissions.as_ref()?;
        Some(permissions.iter().map(|permission| permission.as_str()).collect())
    }

    /// When it was made.
    async fn issued_at(&self) -> DateTime<Utc> {
        self.row.issued_at
    }

    /// When it ends by itself; absent for one that lasts until it is revoked.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.row.expires
    }

    /// The minute in which it was used last; absent if it never was.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.last_used
    }
}

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SignInMethod {
    /// By the account's password.
    Password,
    /// By an OpenID provider.
    Oidc,
}

pub struct Session(sessions::Session);

impl Session {
    /// The sessions of an account that are open, the newest first.
    pub async fn of(ctx: &Context<'_>, account: AccountId) -> Result<Vec<Self>> {
        let now = clock::now();
        let found = read(ctx, move |view| sessions::sessions(view, account, now)).await?;
        Ok(found.into_iter().map(Self).collect())
    }

    pub async fn load(ctx: &Context<'_>, id: domain::ids::SessionId) -> Result<Option<Self>> {
        Ok(read(ctx, move |view| sessions::session(view, id)).await?.map(Self))
    }
}

/// A stay of somebody who signed in from a browser.
#[Object]
impl Session {
    /// What `closeSession` takes.
    async fn id(&self) -> Uuid {
        self.0.id.as_uuid()
    }

    /// How it was opened.
    async fn method(&self) -> SignInMethod {
        match self.0.method {
            Method::Password => SignInMethod::Password,
            Method::Oidc => SignInMethod::Oidc,
        }
    }

    /// When it was opened.
    async fn opened_at(&self) -> DateTime<Utc> {
        self.0.opened_at
    }

    /// When it ends by itself.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires
    }

    /// Whether this request was sent by it.
    async fn is_current(&self, ctx: &Context<'_>) -> bool {
        key(ctx).is_ok_and(|key| key == Key::Session(self.0.id))
    }
}

/// What is told of an account's tokens and sessions to the account itself, or why not.
pub fn own(ctx: &Context<'_>) -> Result<AccountId> {
    let viewer = viewer(ctx)?;
    viewer.own_affairs().map_err(ApiError::narrowed)?;
    Ok(viewer.account)
}
