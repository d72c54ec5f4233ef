//! Who may do what. One pure question, asked once on the command path and once for every read.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    account::Scope,
    decider::{Reject, RejectionKind},
    ids::{AccountId, ProjectId, WorkspaceId},
    names::RoleName,
    permission::{Level, Permission},
    role::{BuiltInRole, RoleKey},
};

/// What a permission is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Platform,
    Workspace(WorkspaceId),
    Project { project: ProjectId, workspace: WorkspaceId },
}

impl Place {
    /// Where `permission` is asked for when the thing it is about belongs to `workspace`.
    #[must_use]
    pub const fn of(permission: Permission, workspace: WorkspaceId) -> Self {
        match permission.level() {
            Level::Platform => Self::Platform,
            Level::Workspace | Level::Project => Self::Workspace(workspace),
        }
    }

    /// A grant reaches the place it was made for and what lies inside it. The platform is not "around" the
    /// workspaces: an administrator of the platform sees no tenant's apps by that alone.
    fn reached_by(self, granted: Scope) -> bool {
        match (granted, self) {
            (Scope::Platform {}, Self::Platform) => true,
            (Scope::Workspace { workspace: granted }, Self::Workspace(workspace) | Self::Project { workspace, .. }) => {
                granted == workspace
            }
            (Scope::Project { project: granted }, Self::Project { project, .. }) => granted == project,
            (Scope::Platform {} | Scope::Workspace { .. } | Scope::Project { .. }, _) => false,
        }
    }
}

/// An account, and what it was granted, with the permissions its roles hold now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub account: AccountId,
    pub grants: Vec<Grant>,
    /// All that may be asked for by the token that speaks for the account; `None` if it speaks for all of it.
    narrowed_to: Option<BTreeSet<Permission>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub role: RoleName,
    pub scope: Scope,
    pub permissions: BTreeSet<Permission>,
}

/// What the names of granted roles mean, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles {
    /// Built-in roles are not among them.
    pub custom: BTreeMap<RoleKey, BTreeSet<Permission>>,
    pub workspaces: BTreeMap<ProjectId, WorkspaceId>,
    /// Workspaces that are closed: nothing can be done in them.
    pub closed: BTreeSet<WorkspaceId>,
}

impl Roles {
    /// What a role that was granted there allows. One that nobody defined, or that was retired, allows nothing.
    #[must_use]
    pub fn permissions(&self, role: &RoleName, scope: Scope) -> BTreeSet<Permission> {
        if self
            .workspace_of(scope)
            .is_some_and(|workspace| self.closed.contains(&workspace))
        {
            return BTreeSet::new();
        }
        match BuiltInRole::named(role) {
            Some(built_in) => built_in.permissions(),
            None => self
                .key(role, scope)
                .and_then(|key| self.custom.get(&key).cloned())
                .unwrap_or_default(),
        }
    }

    /// The custom role that is meant by a name there; `None` in a project nobody knows.
    #[must_use]
    pub fn key(&self, role: &RoleName, scope: Scope) -> Option<RoleKey> {
        let workspace = match scope {
            Scope::Platform {} => None,
            Scope::Workspace { .. } | Scope::Project { .. } => Some(self.workspace_of(scope)?),
        };
        Some(RoleKey {
            workspace,
            name: role.clone(),
        })
    }

    fn workspace_of(&self, scope: Scope) -> Option<WorkspaceId> {
        match scope {
            Scope::Platform {} => None,
            Scope::Workspace { workspace } => Some(workspace),
            Scope::Project { project } => self.workspaces.get(&project).copied(),
        }
    }
}

/// What decides who may know of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppVisibility {
    pub workspace: WorkspaceId,
    /// Whether the store shows it.
    pub in_store: bool,
    /// Whether it was ever handed to the reviewers: a version past its draft, or a listing under review.
    pub handed_in: bool,
}

/// Who may know of a version, by its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageVisibility {
    /// Drafts and deleted versions are the workspace's own affair.
    Own,
    /// Reviewers see what was handed to them, from then on.
    HandedIn,
    /// Published and not suspended.
    InStore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this needs the permission {permission}")]
pub struct Denied {
    pub permission: Permission,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this token is narrowed to permissions, and this is the account's own affair: sign in, or use a token that is not"
)]
pub struct Narrowed;

impl Reject for Narrowed {
    fn code(&self) -> &'static str {
        "TOKEN_NARROWED"
    }

    fn kind(&self) -> RejectionKind {
        RejectionKind::Forbidden
    }
}

impl Principal {
    /// Resolves granted role names to the permissions that they allow now.
    #[must_use]
    pub fn resolve(account: AccountId, granted: impl IntoIterator<Item = (RoleName, Scope)>, roles: &Roles) -> Self {
        let grants = granted.into_iter().map(|(role, scope)| Grant {
            permissions: roles.permissions(&role, scope),
            role,
            scope,
        });
        Self {
            account,
            grants: grants.collect(),
            narrowed_to: None,
        }
    }

    /// The account as a token speaks for it that allows these permissions: what both allow, and nothing else.
    #[must_use]
    pub fn narrowed(mut self, to: &BTreeSet<Permission>) -> Self {
        for grant in &mut self.grants {
            grant.permissions.retain(|permission| to.contains(permission));
        }
        self.grants.retain(|grant| !grant.permissions.is_empty());
        self.narrowed_to = Some(to.clone());
        self
    }

    /// Whether the account itself acts: what it may do because it is who it is, and not by a permission, a narrowed token
    /// may not do for it. So nobody makes a wide token of a narrow one.
    ///
    /// # Errors
    ///
    /// [`Narrowed`] if only such a token speaks for it.
    pub const fn own_affairs(&self) -> Result<(), Narrowed> {
        match self.narrowed_to {
            None => Ok(()),
            Some(_) => Err(Narrowed),
        }
    }

    /// # Errors
    ///
    /// [`Denied`] if no grant that reaches `place` holds `permission`. Whether the caller may know that the place
    /// exists is for the asker to say: see [`Principal::may`] with the permission to view it.
    pub fn authorize(&self, permission: Permission, place: Place) -> Result<(), Denied> {
        if self.may(permission, place) {
            Ok(())
        } else {
            Err(Denied { permission })
        }
    }

    /// Whether the account may know that this app exists. For everybody else it does not.
    #[must_use]
    pub fn sees_app(&self, app: &AppVisibility) -> bool {
        self.may(Permission::WorkspaceView, Place::Workspace(app.workspace))
            || (app.in_store && self.may(Permission::StoreView, Place::Platform))
            || (app.handed_in && self.may(Permission::ReviewView, Place::Platform))
    }

    /// Whether the account may know that a version of an app it sees exists.
    #[must_use]
    pub fn sees_version(&self, app: &AppVisibility, stage: StageVisibility) -> bool {
        self.may(Permission::WorkspaceView, Place::Workspace(app.workspace))
            || match stage {
                StageVisibility::Own => false,
                StageVisibility::HandedIn => self.may(Permission::ReviewView, Place::Platform),
                StageVisibility::InStore => {
                    (app.in_store && self.may(Permission::StoreView, Place::Platform))
                        || self.may(Permission::ReviewView, Place::Platform)
                }
            }
    }

    /// Whether the account may know who `other` is: itself, everybody for those who work with the people of all
    /// workspaces, and those who hold a role in the same workspace or project.
    #[must_use]
    pub fn knows(&self, other: &Self) -> bool {
        let is_fellow = |grant: &Grant| {
            !matches!(grant.scope, Scope::Platform {}) && other.grants.iter().any(|o| o.scope == grant.scope)
        };
        self.account == other.account || self.oversees_accounts() || self.grants.iter().any(is_fellow)
    }

    /// Whether the account works with the people of all workspaces.
    #[must_use]
    pub fn oversees_accounts(&self) -> bool {
        let everybody = [Permission::AccountManage, Permission::AuditView, Permission::ReviewView];
        everybody.iter().any(|it| self.may(*it, Place::Platform))
    }

    /// Whether the account may do this there. The published store is open to everybody who is signed in; all else is
    /// granted.
    #[must_use]
    pub fn may(&self, permission: Permission, place: Place) -> bool {
        if self
            .narrowed_to
            .as_ref()
            .is_some_and(|allowed| !allowed.contains(&permission))
        {
            return false;
        }
        if permission == Permission::StoreView {
            return true;
        }
        self.grants
            .iter()
            .any(|grant| place.reached_by(grant.scope) && grant.permissions.contains(&permission))
    }
}

#[cfg(test)]
mod tests;
