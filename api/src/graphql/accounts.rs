//! Accounts, as others see them.

use async_graphql::{Context, ID, Object};
use domain::{digest::Sealed, ids::AccountId};
use projections::accounts;

use super::{
    NodeId,
    error::Result,
    viewer::{read, services},
};

/// A person or a machine that signs in.
pub struct Account(accounts::Account);

impl Account {
    pub async fn load(ctx: &Context<'_>, id: AccountId) -> Result<Option<Self>> {
        Ok(read(ctx, move |view| accounts::account(view, id)).await?.map(Self))
    }

    pub async fn load_opt(ctx: &Context<'_>, id: Option<AccountId>) -> Result<Option<Self>> {
        match id {
            Some(id) => Self::load(ctx, id).await,
            None => Ok(None),
        }
    }
}

#[Object]
impl Account {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::Account(self.0.id).into()
    }

    /// The name; absent once the person was erased.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        unseal(ctx, &self.0.name).await
    }
}

/// Text from the vault; `None` if it was erased.
pub async fn unseal(ctx: &Context<'_>, sealed: &Sealed) -> Result<Option<String>> {
    let bytes = services(ctx).vault.unseal(sealed).await?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}
