//! Accounts, roles, and who gives them to whom.

use async_graphql::{Context, ID, InputObject, Object};
use domain::{
    names::RoleName,
    role::{RoleKey, permissions_named},
};
use uuid::Uuid;

use super::{
    passwords::first_password,
    payload::{self, UserError, give, payload},
};
use crate::{
    commands::{CreateAccount, DefineRole, GrantRole, RetireRole, RevokeRole},
    graphql::{accounts::Account, error::Result, roles::Role},
};

#[derive(Default)]
pub struct RoleMutation;

/// The account to make.
#[derive(InputObject)]
struct CreateAccountInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// Its name, unique on the platform: 1 to 63 characters of a-z, 0-9 and -._@.
    name: String,
    /// A role to grant at once, on the platform.
    role: Option<String>,
    /// Its first password: 12 to 128 characters, not what anybody would try first. Without one nobody signs in with a
    /// password until it is set.
    #[graphql(secret)]
    password: Option<String>,
}

/// What a role is to allow.
#[derive(InputObject)]
struct DefineRoleInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// Its name, 1 to 63 characters of a-z, 0-9 and -.
    role: String,
    /// The workspace it is a role of; without one it is a role of the platform.
    workspace: Option<ID>,
    /// All that it allows: permissions such as `review.approve`, or the bundles `app-store-management` and
    /// `app-store-view`.
    permissions: Vec<String>,
}

/// Which custom role to end.
#[derive(InputObject)]
struct RetireRoleInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// Its name.
    role: String,
    /// The workspace it is a role of; without one it is a role of the platform.
    workspace: Option<ID>,
}

/// Which role, whose, and where: on the platform, unless a workspace or a project is named.
#[derive(InputObject)]
struct GrantInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The account.
    account: ID,
    /// The role's name.
    role: String,
    /// The workspace.
    workspace: Option<ID>,
    /// The project.
    project: Option<ID>,
}

payload!(
    /// The account that was made.
    CreateAccountPayload {
        /// The account.
        account: Account
    }
);
payload!(
    /// The role as it is now.
    DefineRolePayload {
        /// The role.
        role: Role
    }
);
payload!(
    /// The role that is over.
    RetireRolePayload {
        /// The role.
        role: Role
    }
);
payload!(
    /// Who holds the role now.
    GrantRolePayload {
        /// The account.
        account: Account
    }
);
payload!(
    /// Who does not hold the role any more.
    RevokeRolePayload {
        /// The account; absent if the viewer may not know of it any more.
        account: Account
    }
);

#[Object]
impl RoleMutation {
    /// Makes an account.
    async fn create_account(&self, ctx: &Context<'_>, input: CreateAccountInput) -> Result<CreateAccountPayload> {
        let name = payload::name(&input.name, "name");
        let role = input.role.map(|role| payload::name(&role, "role")).transpose();
        let password = first_password(ctx, input.password).await?;
        let command = name.and_then(|name| {
            Ok(CreateAccount {
                name,
                role: role?,
                password: password?,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Gives a custom role exactly these permissions. Whoever holds the role may do what it allows from then on.
    async fn define_role(&self, ctx: &Context<'_>, input: DefineRoleInput) -> Result<DefineRolePayload> {
        let permissions = permissions_named(&input.permissions)
            .map_err(|error| UserError::new("PERMISSION_UNKNOWN", error.to_string(), &["input", "permissions"]));
        let command = key(&input.role, input.workspace.as_ref()).and_then(|role| {
            Ok(DefineRole {
                role,
                permissions: permissions?,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Ends a custom role: it allows nothing any more, whoever holds it, and its name is never free again.
    async fn retire_role(&self, ctx: &Context<'_>, input: RetireRoleInput) -> Result<RetireRolePayload> {
        let command = key(&input.role, input.workspace.as_ref()).map(|role| RetireRole { role });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Grants a role to an account. Nobody grants more than they hold; people who are not known are invited instead.
    async fn grant_role(&self, ctx: &Context<'_>, input: GrantInput) -> Result<GrantRolePayload> {
        let scope = payload::scope(input.workspace.as_ref(), input.project.as_ref());
        let role = payload::name::<RoleName>(&input.role, "role");
        let command = payload::account(&input.account).and_then(|account| {
            Ok(GrantRole {
                account,
                role: role?,
                scope: scope?,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Takes a role from an account: whoever might give it, and the account itself. The platform keeps an administrator.
    async fn revoke_role(&self, ctx: &Context<'_>, input: GrantInput) -> Result<RevokeRolePayload> {
        let scope = payload::scope(input.workspace.as_ref(), input.project.as_ref());
        let role = payload::name::<RoleName>(&input.role, "role");
        let command = payload::account(&input.account).and_then(|account| {
            Ok(RevokeRole {
                account,
                role: role?,
                scope: scope?,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }
}

fn key(role: &str, workspace: Option<&ID>) -> std::result::Result<RoleKey, UserError> {
    Ok(RoleKey {
        name: payload::name(role, "role")?,
        workspace: workspace.map(payload::workspace).transpose()?,
    })
}
