//! Who may do what. One pure question, asked once on the command path and once for every read.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    account::Scope,
    ids::{AccountId, ProjectId, WorkspaceId},
    names::RoleName,
    permission::{Level, Permission},
    role::BuiltInRole,
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
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub role: RoleName,
    pub scope: Scope,
    pub permissions: BTreeSet<Permission>,
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

impl Principal {
    /// Resolves granted role names to permissions: built-in roles first, then `custom` ones. A role nobody defined
    /// allows nothing.
    #[must_use]
    pub fn resolve(
        account: AccountId,
        granted: impl IntoIterator<Item = (RoleName, Scope)>,
        custom: &BTreeMap<RoleName, BTreeSet<Permission>>,
    ) -> Self {
        let grants = granted
            .into_iter()
            .map(|(role, scope)| {
                let permissions = match BuiltInRole::named(&role) {
                    Some(built_in) => built_in.permissions(),
                    None => custom.get(&role).cloned().unwrap_or_default(),
                };
                Grant {
                    role,
                    scope,
                    permissions,
                }
            })
            .collect();
        Self { account, grants }
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

    /// Whether the account may do this there. The published store is open to everybody who is signed in; all else is
    /// granted.
    #[must_use]
    pub fn may(&self, permission: Permission, place: Place) -> bool {
        if permission == Permission::StoreView {
            return true;
        }
        self.grants
            .iter()
            .any(|grant| place.reached_by(grant.scope) && grant.permissions.contains(&permission))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn principal(role: &str, scope: Scope) -> Principal {
        let account = AccountId::from_uuid(Uuid::from_u128(1));
        Principal::resolve(account, [(role.parse().unwrap(), scope)], &BTreeMap::new())
    }

    fn workspace(n: u128) -> WorkspaceId {
        WorkspaceId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn a_workspace_role_reaches_its_workspace_and_the_projects_in_it_and_no_other() {
        let admin = principal(
            "workspace-admin",
            Scope::Workspace {
                workspace: workspace(1),
            },
        );
        let project = ProjectId::from_uuid(Uuid::from_u128(9));
        assert!(admin.may(Permission::AppUpload, Place::Workspace(workspace(1))));
        assert!(admin.may(
            Permission::ReleaseInstall,
            Place::Project {
                project,
                workspace: workspace(1)
            }
        ));
        assert!(!admin.may(Permission::AppUpload, Place::Workspace(workspace(2))));
        assert!(!admin.may(
            Permission::ReleaseInstall,
            Place::Project {
                project,
                workspace: workspace(2)
            }
        ));
        assert!(!admin.may(Permission::ReviewApprove, Place::Platform));
    }

    #[test]
    fn a_platform_administrator_does_not_act_inside_a_workspace() {
        let admin = principal("platform-admin", Scope::Platform {});
        assert!(admin.may(Permission::ReviewApprove, Place::Platform));
        assert_eq!(
            admin.authorize(Permission::WorkspaceView, Place::Workspace(workspace(1))),
            Err(Denied {
                permission: Permission::WorkspaceView
            })
        );
    }

    #[test]
    fn a_role_nobody_defined_allows_nothing_but_to_see_the_store() {
        let nobody = principal("app-review", Scope::Platform {});
        let allowed = Permission::ALL.iter().filter(|p| nobody.may(**p, Place::Platform));
        assert_eq!(allowed.collect::<Vec<_>>(), [&Permission::StoreView]);
    }

    #[test]
    fn a_platform_role_granted_in_a_workspace_does_not_reach_the_platform() {
        let odd = principal(
            "platform-admin",
            Scope::Workspace {
                workspace: workspace(1),
            },
        );
        assert!(!odd.may(Permission::ReviewApprove, Place::Platform));
    }
}
