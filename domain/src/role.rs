//! Roles: named sets of permissions, built in or defined by an administrator.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    names::RoleName,
    permission::{Level, Permission},
};

/// A role that every log has without an event.
#[derive(Debug, Clone, Copy)]
pub struct BuiltInRole {
    pub name: &'static str,
    /// The level at which it is granted.
    pub level: Level,
    allows: fn(Permission) -> bool,
}

impl BuiltInRole {
    pub fn permissions(&self) -> BTreeSet<Permission> {
        Permission::ALL.iter().copied().filter(|p| (self.allows)(*p)).collect()
    }

    #[must_use]
    pub fn named(name: &RoleName) -> Option<&'static Self> {
        BUILT_IN.iter().find(|role| role.name == name.as_str())
    }
}

use Permission as P;

/// The built-in roles. Reviewing is in none but the administrator's: it is given by a custom role such as `app-review`.
pub const BUILT_IN: &[BuiltInRole] = &[
    BuiltInRole {
        name: "platform-admin",
        level: Level::Platform,
        allows: |p| p.level() == Level::Platform,
    },
    BuiltInRole {
        name: "platform-regular",
        level: Level::Platform,
        allows: |p| p == P::StoreView,
    },
    BuiltInRole {
        name: "auditor",
        level: Level::Platform,
        allows: |p| matches!(p, P::StoreView | P::ReviewView | P::AuditView | P::HistoryView),
    },
    BuiltInRole {
        name: "workspace-admin",
        level: Level::Workspace,
        allows: |p| p.level() != Level::Platform,
    },
    BuiltInRole {
        name: "workspace-regular",
        level: Level::Workspace,
        allows: |p| {
            matches!(
                p,
                P::WorkspaceView
                    | P::AppUpload
                    | P::VersionUpload
                    | P::PackageReplace
                    | P::ListingEdit
                    | P::ListingSubmit
                    | P::ListingWithdraw
                    | P::VersionSubmit
                    | P::VersionWithdraw
                    | P::VersionTest
            )
        },
    },
    BuiltInRole {
        name: "workspace-viewer",
        level: Level::Workspace,
        allows: |p| matches!(p, P::WorkspaceView | P::ReleaseView),
    },
    BuiltInRole {
        name: "project-admin",
        level: Level::Project,
        allows: |p| p.level() == Level::Project,
    },
    BuiltInRole {
        name: "project-regular",
        level: Level::Project,
        allows: |p| p.level() == Level::Project,
    },
    BuiltInRole {
        name: "project-viewer",
        level: Level::Project,
        allows: |p| p == P::ReleaseView,
    },
];

/// Permissions that are given together, under the name people know them by.
#[must_use]
pub fn bundle(name: &str) -> Option<&'static [Permission]> {
    match name {
        "app-store-view" => Some(&[P::StoreView, P::ReviewView]),
        "app-store-management" => Some(&[
            P::StoreView,
            P::ReviewView,
            P::ReviewStart,
            P::ReviewApprove,
            P::ReviewReject,
            P::StoreSuspend,
            P::StoreResume,
            P::CategoryCreate,
            P::CategoryEdit,
            P::CategoryDelete,
            P::CategoryAssign,
        ]),
        _ => None,
    }
}

/// The facts of a custom role's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    RoleDefined {
        role: RoleName,
        permissions: BTreeSet<Permission>,
    },
}

/// A custom role that is granted on the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    pub permissions: BTreeSet<Permission>,
}

#[derive(Debug, Clone)]
pub enum Command {
    /// Gives the role these permissions and no others, whatever it had before.
    Define {
        role: RoleName,
        permissions: BTreeSet<Permission>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("the role {0} is built in and cannot be changed")]
    BuiltIn(RoleName),
    #[error("a platform role holds platform permissions; {0} is not one")]
    WrongLevel(Permission),
    #[error("a role needs at least one permission")]
    Empty,
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::BuiltIn(_) => "ROLE_BUILT_IN",
            Self::WrongLevel(_) => "PERMISSION_LEVEL",
            Self::Empty => "ROLE_EMPTY",
        }
    }

    fn kind(&self) -> RejectionKind {
        RejectionKind::Invalid
    }
}

impl Decider for Role {
    const CATEGORY: &'static str = "role";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Rejection;

    fn decide(state: &Self::State, command: Command, _: Stamp) -> Result<Vec<Event>, Rejection> {
        let Command::Define { role, permissions } = command;
        if BuiltInRole::named(&role).is_some() {
            return Err(Rejection::BuiltIn(role));
        }
        if let Some(wrong) = permissions.iter().find(|p| p.level() != Level::Platform) {
            return Err(Rejection::WrongLevel(*wrong));
        }
        if permissions.is_empty() {
            return Err(Rejection::Empty);
        }
        if state.as_ref().is_some_and(|known| known.permissions == permissions) {
            return Ok(vec![]);
        }
        Ok(vec![Event::RoleDefined { role, permissions }])
    }

    fn evolve(_: Self::State, event: &Event, _: Stamp) -> Self::State {
        let Event::RoleDefined { permissions, .. } = event;
        Some(Self {
            permissions: permissions.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::given;

    fn role(name: &str) -> RoleName {
        name.parse().unwrap()
    }

    #[test]
    fn app_review_is_made_of_the_two_bundles_of_the_tutorial() {
        let permissions: BTreeSet<_> = ["app-store-management", "app-store-view"]
            .into_iter()
            .filter_map(bundle)
            .flatten()
            .copied()
            .collect();
        assert!(permissions.contains(&P::ReviewApprove) && permissions.contains(&P::StoreSuspend));
        given::<Role>([])
            .when(Command::Define {
                role: role("app-review"),
                permissions: permissions.clone(),
            })
            .then([Event::RoleDefined {
                role: role("app-review"),
                permissions,
            }]);
    }

    #[test]
    fn a_built_in_role_cannot_be_redefined() {
        given::<Role>([])
            .when(Command::Define {
                role: role("auditor"),
                permissions: [P::StoreView].into(),
            })
            .then_rejected(&Rejection::BuiltIn(role("auditor")));
    }

    #[test]
    fn a_platform_role_holds_no_workspace_permission() {
        given::<Role>([])
            .when(Command::Define {
                role: role("mixed"),
                permissions: [P::StoreView, P::AppUpload].into(),
            })
            .then_rejected(&Rejection::WrongLevel(P::AppUpload));
    }

    #[test]
    fn a_role_without_permissions_is_refused() {
        given::<Role>([])
            .when(Command::Define {
                role: role("none"),
                permissions: BTreeSet::new(),
            })
            .then_rejected(&Rejection::Empty);
    }

    #[test]
    fn defining_a_role_as_it_is_records_nothing() {
        let permissions = BTreeSet::from([P::StoreView]);
        given::<Role>([Event::RoleDefined {
            role: role("viewer"),
            permissions: permissions.clone(),
        }])
        .when(Command::Define {
            role: role("viewer"),
            permissions,
        })
        .then([]);
    }

    #[test]
    fn uploading_does_not_imply_publishing() {
        let regular = BuiltInRole::named(&role("workspace-regular")).unwrap().permissions();
        assert!(regular.contains(&P::AppUpload) && !regular.contains(&P::VersionPublish));
    }
}
