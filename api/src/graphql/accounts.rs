//! Accounts, as others see them.

use async_graphql::{Context, ID, Object};
use domain::{
    access::{Place, Principal},
    account::Scope,
    digest::Sealed,
    ids::{AccountId, AppId},
    permission::Permission,
};
use projections::{accounts, apps};

use super::{
    NodeId,
    error::Result,
    limits::make_room,
    viewer::{read, services, viewer},
};

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

    /// An account by its id, if the viewer may know whose it is.
    pub async fn find(ctx: &Context<'_>, id: AccountId) -> Result<Option<Self>> {
        let viewer = viewer(ctx)?;
        // Whoever was erased holds nothing any more, and so is nobody's fellow.
        let other = services(ctx).views.access().principal(id);
        let is_known = other.map_or_else(|| oversees(viewer), |other| knows(viewer, &other));
        match is_known {
            true => Self::load(ctx, id).await,
            false => Ok(None),
        }
    }

    /// Who did something to an app: for those who see the app from inside. A store shows goods, and not a tenant's people.
    pub async fn of_app(ctx: &Context<'_>, app: AppId, id: Option<AccountId>) -> Result<Option<Self>> {
        let owner = read(ctx, move |view| apps::app(view, app)).await?;
        let viewer = viewer(ctx)?;
        let is_inside = owner.is_some_and(|app| viewer.may(Permission::WorkspaceView, Place::Workspace(app.workspace)))
            || viewer.may(Permission::ReviewView, Place::Platform)
            || viewer.may(Permission::AuditView, Place::Platform);
        Self::load_opt(ctx, id.filter(|_| is_inside)).await
    }
}

/// Whether `viewer` may know who `other` is: for oneself, for those who work with the people of all workspaces, and for
/// those who hold a role in the same workspace or project.
fn knows(viewer: &Principal, other: &Principal) -> bool {
    let shared = |scope: &Scope| !matches!(scope, Scope::Platform {}) && other.grants.iter().any(|o| o.scope == *scope);
    viewer.account == other.account || oversees(viewer) || viewer.grants.iter().any(|grant| shared(&grant.scope))
}

/// Whether `viewer` works with the people of all workspaces.
fn oversees(viewer: &Principal) -> bool {
    let everybody = [Permission::AccountManage, Permission::AuditView, Permission::ReviewView];
    everybody.iter().any(|it| viewer.may(*it, Place::Platform))
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

    /// Whether the person was erased: the name and what they wrote are gone, and what was done under this account stays
    /// in the history.
    async fn erased(&self) -> bool {
        self.0.erased.is_some()
    }
}

/// Text from the vault; `None` if it was erased.
pub async fn unseal(ctx: &Context<'_>, sealed: &Sealed) -> Result<Option<String>> {
    let bytes = services(ctx).vault.unseal(sealed).await?;
    make_room(ctx, bytes.as_ref().map_or(0, |bytes| bytes.len()))?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use domain::ids::WorkspaceId;
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
        assert!(knows(&ada, &ada));
        assert!(knows(&holder(2, "workspace-regular", workspace(1)), &ada));
        assert!(!knows(&holder(3, "workspace-admin", workspace(2)), &ada));
        let (auditor, regular) = (
            holder(4, "auditor", Scope::Platform {}),
            holder(5, "platform-regular", Scope::Platform {}),
        );
        assert!(knows(&auditor, &ada) && knows(&auditor, &regular));
        assert!(
            !knows(&regular, &auditor),
            "to hold a role on the platform is no fellowship"
        );
    }
}
