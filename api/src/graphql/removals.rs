//! Published bytes that were taken away: which, when and why.

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use domain::{access::Place, digest::Digest, permission::Permission};
use projections::content;

use super::{
    accounts::{Account, unseal},
    error::Result,
    loaders,
    scalars::Sha256,
    viewer::viewer,
};

pub struct ContentRemoval(content::Removal);

impl ContentRemoval {
    /// Why there are no bytes with this digest, if they were removed.
    pub async fn of(ctx: &Context<'_>, digest: Digest) -> Result<Option<Self>> {
        Ok(loaders::row(ctx, digest).await?.map(Self))
    }
}

/// Published bytes that were taken away. The digest stays; the bytes are gone, and are not taken in again.
#[Object]
impl ContentRemoval {
    /// The SHA-256 of what was removed.
    async fn digest(&self) -> Sha256 {
        Sha256(self.0.digest)
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.mark.at
    }

    /// By whom; absent if it was Charthouse itself. For reviewers, auditors and those who remove content.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        match may_know_why(ctx)? {
            true => Account::load_opt(ctx, self.0.mark.by).await,
            false => Ok(None),
        }
    }

    /// Why; absent if whoever gave the reason was erased. For reviewers, auditors and those who remove content.
    async fn reason(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.0.reason {
            Some(reason) if may_know_why(ctx)? => unseal(ctx, reason).await,
            Some(_) | None => Ok(None),
        }
    }
}

fn may_know_why(ctx: &Context<'_>) -> Result<bool> {
    let viewer = viewer(ctx)?;
    let any = [Permission::ContentRemove, Permission::AuditView, Permission::ReviewView];
    Ok(any.iter().any(|it| viewer.may(*it, Place::Platform)))
}
