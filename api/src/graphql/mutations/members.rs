//! Members: invited by name, and members once they accept.

use async_graphql::{Context, ID, InputObject, Object};
use domain::names::RoleName;
use uuid::Uuid;

use super::{
    passwords::first_password,
    payload::{self, give, payload},
};
use crate::{
    commands::{AcceptInvitation, DeclineInvitation, InviteMember, WithdrawInvitation},
    graphql::{error::Result, tenancy::Workspace},
};

#[derive(Default)]
pub struct MemberMutation;

/// Whom to offer which role, in a workspace or in a project.
#[derive(InputObject)]
struct InvitationInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The name of an account. Whether there is one is not said.
    name: String,
    /// The role's name.
    role: String,
    /// The workspace.
    workspace: Option<ID>,
    /// The project.
    project: Option<ID>,
}

/// Which offer, as `viewer { invitations }` shows it.
#[derive(InputObject)]
struct AcceptInvitationInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The role's name.
    role: String,
    /// The workspace, for a role in it.
    workspace: Option<ID>,
    /// The project, for a role in it.
    project: Option<ID>,
    /// The first password of an account that has none: 12 to 128 characters, not what anybody would try first.
    #[graphql(secret)]
    password: Option<String>,
}

/// Which offer, as `viewer { invitations }` shows it.
#[derive(InputObject)]
struct OwnInvitationInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The role's name.
    role: String,
    /// The workspace, for a role in it.
    workspace: Option<ID>,
    /// The project, for a role in it.
    project: Option<ID>,
}

payload!(
    /// What was offered.
    InviteMemberPayload {
        /// The workspace it is in, or the project is.
        workspace: Workspace
    }
);
payload!(
    /// What is not offered any more.
    WithdrawInvitationPayload {
        /// The workspace it was in, or the project is.
        workspace: Workspace
    }
);
payload!(
    /// What was accepted.
    AcceptInvitationPayload {
        /// The workspace; absent for a role in a project only.
        workspace: Workspace
    }
);
payload!(
    /// What was declined.
    DeclineInvitationPayload {
        /// The workspace, if the viewer is a member of it otherwise.
        workspace: Workspace
    }
);

#[Object]
impl MemberMutation {
    /// Offers a role to whoever has a name. The answer is the same whether an account is called so or not; it sees the
    /// offer in `viewer { invitations }`, and who offers it learns of it when it is accepted.
    async fn invite_member(&self, ctx: &Context<'_>, input: InvitationInput) -> Result<InviteMemberPayload> {
        let name = payload::name(&input.name, "name");
        let role = payload::name::<RoleName>(&input.role, "role");
        let scope = payload::inner_scope(input.workspace.as_ref(), input.project.as_ref());
        let command = name.and_then(|name| {
            Ok(InviteMember {
                name,
                role: role?,
                scope: scope?,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Takes an offer back that was not accepted yet.
    async fn withdraw_invitation(
        &self,
        ctx: &Context<'_>,
        input: InvitationInput,
    ) -> Result<WithdrawInvitationPayload> {
        let name = payload::name(&input.name, "name");
        let role = payload::name::<RoleName>(&input.role, "role");
        let scope = payload::inner_scope(input.workspace.as_ref(), input.project.as_ref());
        let command = name.and_then(|name| {
            Ok(WithdrawInvitation {
                name,
                role: role?,
                scope: scope?,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Takes a role that is offered to the viewer, if whoever offered it may still give it.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        input: AcceptInvitationInput,
    ) -> Result<AcceptInvitationPayload> {
        let role = payload::name::<RoleName>(&input.role, "role");
        let scope = payload::inner_scope(input.workspace.as_ref(), input.project.as_ref());
        let password = first_password(ctx, input.password).await?;
        let command = role.and_then(|role| {
            Ok(AcceptInvitation {
                role,
                scope: scope?,
                password: password?,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Says no to an offer.
    async fn decline_invitation(
        &self,
        ctx: &Context<'_>,
        input: OwnInvitationInput,
    ) -> Result<DeclineInvitationPayload> {
        let role = payload::name::<RoleName>(&input.role, "role");
        let scope = payload::inner_scope(input.workspace.as_ref(), input.project.as_ref());
        let command = role.and_then(|role| Ok(DeclineInvitation { role, scope: scope? }));
        Ok(give(ctx, input.command_id, command).await?.into())
    }
}
