//! Roles: what they are made of, and who gives them to whom.

use std::collections::BTreeSet;

use domain::{
    access::Place,
    account::{Account, Command as DoAccount, Scope},
    granting::{Gift, holds_all},
    ids::AccountId,
    names::RoleName,
    permission::Permission,
    project::Project,
    role::{BuiltInRole, Command as Do, PLATFORM_ADMIN, Role, RoleKey},
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work};

/// Gives a custom role these permissions and no others: one of the platform, or of a workspace.
///
/// What the role did not hold before, whoever defines it must hold: to define a role is to give what it allows.
#[derive(Debug, Serialize)]
pub struct DefineRole {
    pub role: RoleKey,
    pub permissions: BTreeSet<Permission>,
}

impl Command for DefineRole {
    const NAME: &'static str = "DefineRole";

    fn target(&self) -> Option<Target> {
        Some(Target::Role(self.role.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let place = authorize_definition(work, &self.role).await?;
        let known = work.load::<Role>(self.role.stream_key().as_str()).await?;
        let define = Do::Define {
            role: self.role.clone(),
            permissions: self.permissions.clone(),
        };
        work.decide::<Role>(self.role.stream_key().as_str(), define).await?;
        let held = known.map(|role| role.permissions).unwrap_or_default();
        if let Some(principal) = work.principal() {
            holds_all(principal, self.permissions.difference(&held), place).map_err(CommandError::rejected)?;
        }
        Ok(Target::Role(self.role.clone()))
    }
}

/// Ends a custom role: it allows nothing any more, whoever holds it.
#[derive(Debug, Serialize)]
pub struct RetireRole {
    pub role: RoleKey,
}

impl Command for RetireRole {
    const NAME: &'static str = "RetireRole";

    fn target(&self) -> Option<Target> {
        Some(Target::Role(self.role.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        authorize_definition(work, &self.role).await?;
        let retire = Do::Retire {
            role: self.role.clone(),
        };
        work.decide::<Role>(self.role.stream_key().as_str(), retire).await?;
        Ok(Target::Role(self.role.clone()))
    }
}

#[derive(Debug, Serialize)]
pub struct GrantRole {
    pub account: AccountId,
    pub role: RoleName,
    pub scope: Scope,
}

impl Command for GrantRole {
    const NAME: &'static str = "GrantRole";

    fn target(&self) -> Option<Target> {
        Some(Target::Account(self.account))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.visible_account(self.account)?;
        authorize_gift(work, &self.role, self.scope, Some(self.account)).await?;
        give(work, self.account, &self.role, self.scope).await?;
        Ok(Target::Account(self.account))
    }
}

/// Takes a role from an account; one may always give up an own one.
#[derive(Debug, Serialize)]
pub struct RevokeRole {
    pub account: AccountId,
    pub role: RoleName,
    pub scope: Scope,
}

impl Command for RevokeRole {
    const NAME: &'static str = "RevokeRole";

    fn target(&self) -> Option<Target> {
        Some(Target::Account(self.account))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.visible_account(self.account)?;
        authorize_taking(work, self.account, &self.role, self.scope).await?;
        let revoke = DoAccount::Revoke {
            role: self.role.clone(),
            scope: self.scope,
            another: another_administrator(work, self.account, &self.role, self.scope).await?,
        };
        work.decide::<Account>(self.account, revoke).await?;
        Ok(Target::Account(self.account))
    }
}

/// Asks whether the giver may take a role from an account.
pub(super) async fn authorize_taking(
    work: &mut Work<'_>,
    account: AccountId,
    role: &RoleName,
    scope: Scope,
) -> Result<(), CommandError> {
    let place = visible_place(work, scope).await?;
    let permissions = permissions(work, role, place).await?.unwrap_or_default();
    let Some(principal) = work.principal() else {
        return Ok(());
    };
    let gift = Gift {
        role,
        permissions: &permissions,
        place,
        holder: Some(account),
    };
    gift.may_be_taken_by(principal).map_err(CommandError::rejected)
}

/// Grants a role that exists; whether its giver may is asked before.
pub(super) async fn give(
    work: &mut Work<'_>,
    account: AccountId,
    role: &RoleName,
    scope: Scope,
) -> Result<(), CommandError> {
    let place = place_of(work, scope).await?;
    let grant = DoAccount::Grant {
        role: role.clone(),
        permissions: known_permissions(work, role, place).await?,
        scope,
    };
    work.decide::<Account>(account, grant).await.map(drop)
}

/// Where a role is offered and what it allows there, whoever asks; `None` if there is no such role or place any more.
pub(super) async fn offered(
    work: &mut Work<'_>,
    role: &RoleName,
    scope: Scope,
) -> Result<Option<(Place, BTreeSet<Permission>)>, CommandError> {
    let place = match place_of(work, scope).await {
        Err(error) if error.is("NOT_FOUND") => return Ok(None),
        place => place?,
    };
    Ok(permissions(work, role, place)
        .await?
        .map(|permissions| (place, permissions)))
}

/// What the role allows, if the giver may give it there to whom it is for.
pub(super) async fn authorize_gift(
    work: &mut Work<'_>,
    role: &RoleName,
    scope: Scope,
    holder: Option<AccountId>,
) -> Result<BTreeSet<Permission>, CommandError> {
    let place = visible_place(work, scope).await?;
    let permissions = known_permissions(work, role, place).await?;
    if let Some(principal) = work.principal() {
        let gift = Gift {
            role,
            permissions: &permissions,
            place,
            holder,
        };
        gift.may_be_given_by(principal).map_err(CommandError::rejected)?;
    }
    Ok(permissions)
}

async fn known_permissions(
    work: &mut Work<'_>,
    role: &RoleName,
    place: Place,
) -> Result<BTreeSet<Permission>, CommandError> {
    let known = permissions(work, role, place).await?;
    // A role that is misspelt would be granted, and allow nothing.
    known.ok_or(CommandError::NotFound("role"))
}

/// What a role allows in a place; `None` if nobody defined it there, or it was retired. Its definition is guarded.
async fn permissions(
    work: &mut Work<'_>,
    role: &RoleName,
    place: Place,
) -> Result<Option<BTreeSet<Permission>>, CommandError> {
    if let Some(built_in) = BuiltInRole::named(role) {
        return Ok(Some(built_in.permissions()));
    }
    let key = RoleKey {
        workspace: match place {
            Place::Platform => None,
            Place::Workspace(workspace) | Place::Project { workspace, .. } => Some(workspace),
        },
        name: role.clone(),
    };
    let known = work.load::<Role>(key.stream_key().as_str()).await?;
    Ok(known.filter(|role| !role.retired).map(|role| role.permissions))
}

/// Somebody else who administers the platform. Their grants are guarded, so that two administrators who take the role
/// from each other at the same moment do not both succeed.
pub(super) async fn another_administrator(
    work: &mut Work<'_>,
    account: AccountId,
    role: &RoleName,
    scope: Scope,
) -> Result<Option<AccountId>, CommandError> {
    if role.as_str() != PLATFORM_ADMIN {
        return Ok(None);
    }
    let access = work.commands.views.access();
    let mut others: Vec<_> = access.holders(role, scope).filter(|other| *other != account).collect();
    others.sort_unstable();
    for other in others {
        let still = work.load::<Account>(other).await?;
        if still.is_some_and(|account| !account.blocked && account.grants.contains(&(role.clone(), scope))) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

async fn authorize_definition(work: &mut Work<'_>, role: &RoleKey) -> Result<Place, CommandError> {
    let Some(workspace) = role.workspace else {
        work.authorize(Permission::RoleManage, Place::Platform)?;
        return Ok(Place::Platform);
    };
    work.visible_workspace(workspace)?;
    work.open_workspace(workspace).await?;
    let place = Place::Workspace(workspace);
    work.authorize(Permission::WorkspaceRoleManage, place)?;
    Ok(place)
}

async fn place_of(work: &mut Work<'_>, scope: Scope) -> Result<Place, CommandError> {
    match scope {
        Scope::Platform {} => Ok(Place::Platform),
        Scope::Workspace { workspace } => {
            work.open_workspace(workspace).await?;
            Ok(Place::Workspace(workspace))
        }
        Scope::Project { project } => {
            let known = work.load::<Project>(project).await?;
            let workspace = known.ok_or(CommandError::NotFound("project"))?.workspace;
            work.open_workspace(workspace).await?;
            Ok(Place::Project { project, workspace })
        }
    }
}

/// A place the giver may know of.
async fn visible_place(work: &mut Work<'_>, scope: Scope) -> Result<Place, CommandError> {
    let what = match scope {
        Scope::Platform {} => return Ok(Place::Platform),
        Scope::Workspace { .. } => "workspace",
        Scope::Project { .. } => "project",
    };
    let place = place_of(work, scope).await.map_err(|error| match error {
        error if error.is("NOT_FOUND") => CommandError::NotFound(what),
        error => error,
    })?;
    if work.sees_place(scope, place) {
        Ok(place)
    } else {
        Err(CommandError::NotFound(what))
    }
}
