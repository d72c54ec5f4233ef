//! Accounts, as others see them.

use async_graphql::{Context, ID, Object};
use domain::{
    access::{Place, Principal},
    digest::Sealed,
    ids::{AccountId, AppId},
    name::{Claim, Name},
    permission::Permission,
};
use projections::accounts;

use super::{
    NodeId,
    credentials::{Session, Token, sees_credentials},
    error::{ApiError, Result},
    limits::make_room,
    loaders,
    page::{self, Connected},
    viewer::{GrantView, read, services, viewer},
};
use crate::commands::load;

#[derive(Default)]
pub struct AccountQuery;

#[Object]
impl AccountQuery {
    /// An account by its name; absent if nobody is called so, or the viewer may not know that somebody is.
    async fn account(&self, ctx: &Context<'_>, name: String) -> Result<Option<Account>> {
        viewer(ctx)?;
        let Ok(name) = name.parse() else { return Ok(None) };
        let claim = Claim::Account(services(ctx).key.of_account_name(&name));
        let taken = load::<Name>(&services(ctx).log, claim.stream_key()).await?;
        let id = taken.and_then(|name| name.holder.strip_prefix("account-")?.parse().ok());
        match id {
            Some(id) => Account::find(ctx, id).await,
            None => Ok(None),
        }
    }

    /// All accounts, the newest first. For whoever manages them, and for auditors.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<Account>> {
        if !sees_all(viewer(ctx)?) {
            return Err(ApiError::needs(Permission::AccountManage));
        }
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        let found = read(ctx, move |view| accounts::accounts(view, &request)).await?;
        Ok(page::connection(ctx, found, is_first, Account))
    }
}

/// Whether the viewer works with the accounts of all, and the roles they hold.
fn sees_all(viewer: &Principal) -> bool {
    let either = [Permission::AccountManage, Permission::AuditView];
    either.iter().any(|permission| viewer.may(*permission, Place::Platform))
}

pub struct Account(accounts::Account);

impl Account {
    pub async fn load(ctx: &Context<'_>, id: AccountId) -> Result<Option<Self>> {
        Ok(loaders::row(ctx, id).await?.map(Self))
    }

    pub async fn load_opt(ctx: &Context<'_>, id: Option<AccountId>) -> Result<Option<Self>> {
        match id {
            Some(id) => Self::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// An account by its id, if the viewer may know whose it is.
    pub async fn find(ctx: &Context<'_>, id: AccountId) -> Result<Option<Self>> {
        let viewer = viewer(ctx)?;
        // Whoever was erased holds nothing any more, and so is nobody's fellow.
        let other = services(ctx).views.access().principal(id);
        let is_known = other.map_or_else(|| viewer.oversees_accounts(), |other| viewer.knows(&other));
        match is_known {
            true => Self::load(ctx, id).await,
            false => Ok(None),
        }
    }

    /// Who did something to an app: for those who see the app from inside. A store shows goods, and not a tenant's people.
    pub async fn of_app(ctx: &Context<'_>, app: AppId, id: Option<AccountId>) -> Result<Option<Self>> {
        let owner = loaders::row(ctx, app).await?;
        let viewer = viewer(ctx)?;
        let is_inside = owner.is_some_and(|app| viewer.may(Permission::WorkspaceView, Place::Workspace(app.workspace)))
            || viewer.may(Permission::ReviewView, Place::Platform)
            || viewer.may(Permission::AuditView, Place::Platform);
        Self::load_opt(ctx, id.filter(|_| is_inside)).await
    }
}

/// A person or a machine that signs in.
#[Object]
impl Account {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::Account(self.0.id).into()
    }

    /// The name; absent once the person was erased.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if self.0.erased.is_some() {
            return Ok(None);
        }
        unseal(ctx, &self.0.name).await
    }

    /// The roles it holds, and where. For the account itself, whoever manages accounts, and auditors.
    async fn grants(&self, ctx: &Context<'_>) -> Result<Option<Vec<GrantView>>> {
        let viewer = viewer(ctx)?;
        if viewer.account != self.0.id && !sees_all(viewer) {
            return Ok(None);
        }
        let holder = services(ctx).views.access().principal(self.0.id);
        Ok(Some(holder.map_or_else(Vec::new, |holder| {
            holder.grants.iter().cloned().map(GrantView).collect()
        })))
    }

    /// The tokens that were not revoked, the newest first. For the account itself, and whoever manages accounts.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn tokens(&self, ctx: &Context<'_>) -> Result<Option<Vec<Token>>> {
        match sees_credentials(ctx, self.0.id)? {
            true => Ok(Some(Token::of(ctx, self.0.id).await?)),
            false => Ok(None),
        }
    }

    /// The sessions that are open, the newest first. For the account itself, and whoever manages accounts.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Option<Vec<Session>>> {
        match sees_credentials(ctx, self.0.id)? {
            true => Ok(Some(Session::of(ctx, self.0.id).await?)),
            false => Ok(None),
        }
    }

    /// Whether it has a password. For the account itself, and whoever manages accounts.
    async fn has_password(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
        Ok(sees_credentials(ctx, self.0.id)?.then_some(self.0.password.is_some() && self.0.erased.is_none()))
    }

    /// Whether nothing opens it until it is unblocked. For the account itself, and whoever manages accounts.
    async fn blocked(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
        Ok(sees_credentials(ctx, self.0.id)?.then_some(self.0.blocked.is_some()))
    }

    /// Whether the person was erased: the name and what they wrote are gone, and what was done under this account stays
    /// in the history.
    async fn erased(&self) -> bool {
        self.0.erased.is_some()
    }
}

/// Short text from the vault, such as a name or a reason; `None` if it was erased.
pub async fn unseal(ctx: &Context<'_>, sealed: &Sealed) -> Result<Option<String>> {
    let text = match loaders::load(ctx, sealed.clone()).await? {
        Some(text) => text?,
        None => None,
    };
    make_room(ctx, text.as_ref().map_or(0, String::len))?;
    Ok(text)
}

/// Text from the vault that may be long, and is read by itself; `None` if it was erased.
pub async fn unseal_long(ctx: &Context<'_>, sealed: &Sealed) -> Result<Option<String>> {
    let bytes = services(ctx).vault.unseal(sealed).await?;
    make_room(ctx, bytes.as_ref().map_or(0, |bytes| bytes.len()))?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use domain::{account::Scope, ids::WorkspaceId};
    use uuid::Uuid;

    use super::*;

    fn holder(account: u128, role: &str, scope: Scope) -> Principal {
        let account = AccountId::from_uuid(Uuid::from_u128(account));
        Principal::resolve(account, [(role.parse().unwrap(), scope)], &Default::default())
    }

    #[test]
    fn people_are_known_to_themselves_to_their_fellows_and_to_those_who_oversee_all() {
        let workspace = |n| Scope::Workspace {
            workspace: WorkspaceId::from_uuid(Uuid::from_u128(n)),
        };
        let ada = holder(1, "workspace-admin", workspace(1));
        assert!(ada.knows(&ada));
        assert!(holder(2, "workspace-regular", workspace(1)).knows(&ada));
        assert!(!holder(3, "workspace-admin", workspace(2)).knows(&ada));
        let (auditor, regular) = (
            holder(4, "auditor", Scope::Platform {}),
            holder(5, "platform-regular", Scope::Platform {}),
        );
        assert!(auditor.knows(&ada) && auditor.knows(&regular));
        assert!(
            !regular.knows(&auditor),
            "to hold a role on the platform is no fellowship"
        );
    }
}
