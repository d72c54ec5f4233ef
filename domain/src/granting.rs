//! Who gives roles, and who takes them away: nobody more than they hold themselves.

use std::collections::BTreeSet;

use crate::{
    access::{Denied, Place, Principal},
    decider::{Reject, RejectionKind},
    ids::AccountId,
    names::RoleName,
    permission::Permission,
    role::WORKSPACE_ADMIN,
};

/// A role that somebody is to be given in a place, or to lose there.
#[derive(Debug, Clone, Copy)]
pub struct Gift<'a> {
    pub role: &'a RoleName,
    /// What the role allows now.
    pub permissions: &'a BTreeSet<Permission>,
    pub place: Place,
    /// `None` if it is not known yet who that is: whoever accepts an invitation.
    pub holder: Option<AccountId>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Denied(Denied),
    #[error("nobody gives more than they hold: this includes {0}, which you do not hold there")]
    Exceeds(Permission),
    #[error("whoever manages workspaces appoints others to administer them, not themselves")]
    OwnAppointment,
}

impl Reject for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Denied(_) => "FORBIDDEN",
            Self::Exceeds(_) => "EXCEEDS_OWN_RIGHTS",
            Self::OwnAppointment => "OWN_APPOINTMENT",
        }
    }

    fn kind(&self) -> RejectionKind {
        RejectionKind::Forbidden
    }
}

impl Gift<'_> {
    /// Whether `giver` may give it.
    ///
    /// On the platform that takes `account.manage`, in a workspace or project `member.manage`, and everywhere all that
    /// the role allows. One exception lets a workspace begin: whoever holds `workspace.manage` appoints the
    /// administrators of workspaces, without being one, and never themselves.
    ///
    /// # Errors
    ///
    /// [`Refusal`] names what is missing.
    pub fn may_be_given_by(&self, giver: &Principal) -> Result<(), Refusal> {
        if self.is_appointment() && giver.may(Permission::WorkspaceManage, Place::Platform) {
            if self.holder != Some(giver.account) {
                return Ok(());
            }
            if !giver.may(Permission::MemberManage, self.place) {
                return Err(Refusal::OwnAppointment);
            }
        }
        giver
            .authorize(self.permission(), self.place)
            .map_err(Refusal::Denied)?;
        holds_all(giver, self.permissions, self.place)
    }

    /// Whether `taker` may take it away: whoever may give it, and its holder, who may leave.
    ///
    /// # Errors
    ///
    /// [`Refusal`] names what is missing.
    pub fn may_be_taken_by(&self, taker: &Principal) -> Result<(), Refusal> {
        if self.holder == Some(taker.account) && taker.own_affairs().is_ok() {
            return Ok(());
        }
        self.may_be_given_by(taker)
    }

    const fn permission(&self) -> Permission {
        match self.place {
            Place::Platform => Permission::AccountManage,
            Place::Workspace(_) | Place::Project { .. } => Permission::MemberManage,
        }
    }

    fn is_appointment(&self) -> bool {
        matches!(self.place, Place::Workspace(_)) && self.role.as_str() == WORKSPACE_ADMIN
    }
}

/// Whether `principal` holds all of `permissions` in `place`: to define a role is to give what it allows.
///
/// # Errors
///
/// [`Refusal::Exceeds`] with the first permission that is missing.
pub fn holds_all<'a>(
    principal: &Principal,
    permissions: impl IntoIterator<Item = &'a Permission>,
    place: Place,
) -> Result<(), Refusal> {
    let missing = permissions
        .into_iter()
        .find(|permission| !principal.may(**permission, place));
    missing.map_or(Ok(()), |permission| Err(Refusal::Exceeds(*permission)))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        access::Roles,
        account::Scope,
        ids::{ProjectId, WorkspaceId},
        role::BuiltInRole,
    };

    fn account(n: u128) -> AccountId {
        AccountId::from_uuid(Uuid::from_u128(n))
    }

    fn acme() -> WorkspaceId {
        WorkspaceId::from_uuid(Uuid::from_u128(0xAC))
    }

    fn globex() -> WorkspaceId {
        WorkspaceId::from_uuid(Uuid::from_u128(0x61))
    }

    fn prod() -> ProjectId {
        ProjectId::from_uuid(Uuid::from_u128(0x9))
    }

    fn holder(role: &str, scope: Scope) -> Principal {
        Principal::resolve(account(1), [(role.parse().unwrap(), scope)], &Roles::default())
    }

    fn given(giver: &Principal, role: &str, place: Place, to: u128) -> Result<(), Refusal> {
        let role: RoleName = role.parse().unwrap();
        let permissions = BuiltInRole::named(&role).unwrap().permissions();
        let gift = Gift {
            role: &role,
            permissions: &permissions,
            place,
            holder: Some(account(to)),
        };
        gift.may_be_given_by(giver)
    }

    fn needs(permission: Permission) -> Result<(), Refusal> {
        Err(Refusal::Denied(Denied { permission }))
    }

    #[test]
    fn a_workspace_administrator_gives_roles_in_the_own_workspace_and_its_projects_only() {
        let admin = holder("workspace-admin", Scope::Workspace { workspace: acme() });
        let project = |workspace| Place::Project {
            project: prod(),
            workspace,
        };
        assert_eq!(given(&admin, "workspace-admin", Place::Workspace(acme()), 2), Ok(()));
        assert_eq!(given(&admin, "project-admin", project(acme()), 2), Ok(()));
        assert_eq!(
            given(&admin, "workspace-viewer", Place::Workspace(globex()), 2),
            needs(Permission::MemberManage)
        );
        assert_eq!(
            given(&admin, "project-viewer", project(globex()), 2),
            needs(Permission::MemberManage)
        );
        assert_eq!(
            given(&admin, "auditor", Place::Platform, 2),
            needs(Permission::AccountManage)
        );
    }

    #[test]
    fn a_project_administrator_gives_roles_in_the_project_and_not_in_its_workspace() {
        let admin = holder("project-admin", Scope::Project { project: prod() });
        let place = Place::Project {
            project: prod(),
            workspace: acme(),
        };
        assert_eq!(given(&admin, "project-regular", place, 2), Ok(()));
        assert_eq!(
            given(&admin, "workspace-viewer", Place::Workspace(acme()), 2),
            needs(Permission::MemberManage)
        );
    }

    #[test]
    fn whoever_only_uses_a_place_gives_nothing_there() {
        let regular = holder("workspace-regular", Scope::Workspace { workspace: acme() });
        let used = holder("project-regular", Scope::Project { project: prod() });
        let place = Place::Project {
            project: prod(),
            workspace: acme(),
        };
        assert_eq!(
            given(&regular, "workspace-viewer", Place::Workspace(acme()), 2),
            needs(Permission::MemberManage)
        );
        assert_eq!(
            given(&used, "project-viewer", place, 2),
            needs(Permission::MemberManage)
        );
    }

    #[test]
    fn nobody_gives_more_than_they_hold() {
        let roles = Roles {
            custom: [(
                crate::role::RoleKey {
                    workspace: Some(acme()),
                    name: "host".parse().unwrap(),
                },
                BTreeSet::from([Permission::MemberManage, Permission::WorkspaceView]),
            )]
            .into(),
            ..Roles::default()
        };
        let grant = ("host".parse().unwrap(), Scope::Workspace { workspace: acme() });
        let host = Principal::resolve(account(1), [grant], &roles);
        assert_eq!(
            given(&host, "workspace-viewer", Place::Workspace(acme()), 2),
            Err(Refusal::Exceeds(Permission::ReleaseView))
        );
        // What one may not give, one may not give to oneself either.
        assert_eq!(
            given(&host, "workspace-admin", Place::Workspace(acme()), 1),
            Err(Refusal::Exceeds(Permission::WorkspaceClose))
        );
    }

    #[test]
    fn whoever_manages_workspaces_appoints_their_administrators_and_nobody_else_and_not_themselves() {
        let admin = holder("platform-admin", Scope::Platform {});
        assert_eq!(given(&admin, "workspace-admin", Place::Workspace(acme()), 2), Ok(()));
        assert_eq!(
            given(&admin, "workspace-admin", Place::Workspace(acme()), 1),
            Err(Refusal::OwnAppointment)
        );
        assert_eq!(
            given(&admin, "workspace-regular", Place::Workspace(acme()), 2),
            needs(Permission::MemberManage)
        );
    }

    #[test]
    fn a_role_is_taken_away_by_whoever_may_give_it_and_by_its_holder() {
        let role: RoleName = "workspace-viewer".parse().unwrap();
        let permissions = BuiltInRole::named(&role).unwrap().permissions();
        let held = |holder| Gift {
            role: &role,
            permissions: &permissions,
            place: Place::Workspace(acme()),
            holder: Some(account(holder)),
        };
        let viewer = holder("workspace-viewer", Scope::Workspace { workspace: acme() });
        assert_eq!(held(1).may_be_taken_by(&viewer), Ok(()));
        assert_eq!(held(2).may_be_taken_by(&viewer), needs(Permission::MemberManage));
        let admin = holder("workspace-admin", Scope::Workspace { workspace: acme() });
        assert_eq!(held(2).may_be_taken_by(&admin), Ok(()));
    }
}
