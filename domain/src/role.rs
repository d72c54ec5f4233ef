//! Roles: named sets of permissions, built in or defined by an administrator.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    decider::{Decider, Reject, RejectionKind, Stamp},
    ids::WorkspaceId,
    names::RoleName,
    permission::{Level, Permission, UnknownPermission},
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

/// The role that somebody always holds: without it nobody could give a role any more.
pub const PLATFORM_ADMIN: &str = "platform-admin";
/// The role that whoever manages workspaces appoints to.
pub const WORKSPACE_ADMIN: &str = "workspace-admin";

/// The built-in roles. Reviewing is in none but the administrator's: it is given by a custom role such as `app-review`.
pub const BUILT_IN: &[BuiltInRole] = &[
    BuiltInRole {
        name: PLATFORM_ADMIN,
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
        name: WORKSPACE_ADMIN,
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
        allows: |p| p.level() == Level::Project && p != P::MemberManage,
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

/// Single permissions by their names, and bundles by theirs.
///
/// # Errors
///
/// [`UnknownPermission`] for a name of neither.
pub fn permissions_named(names: &[String]) -> Result<BTreeSet<Permission>, UnknownPermission> {
    let mut permissions = BTreeSet::new();
    for name in names {
        match bundle(name) {
            Some(bundle) => permissions.extend(bundle),
            None => {
                permissions.insert(name.parse()?);
            }
        }
    }
    Ok(permissions)
}

/// Which custom role: names are unique on the platform, and in each workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RoleKey {
    /// `None` is a role of the platform.
    pub workspace: Option<WorkspaceId>,
    pub name: RoleName,
}

impl RoleKey {
    /// What the role's stream is called after its category. No role's name starts with `-`, so none of the platform
    /// looks like one of a workspace.
    #[must_use]
    pub fn stream_key(&self) -> String {
        match self.workspace {
            None => self.name.to_string(),
            Some(workspace) => format!("-{workspace}-{}", self.name),
        }
    }

    /// Reads what [`RoleKey::stream_key`] writes.
    #[must_use]
    pub fn from_stream_key(key: &str) -> Option<Self> {
        let Some(own) = key.strip_prefix('-') else {
            return Some(Self {
                workspace: None,
                name: key.parse().ok()?,
            });
        };
        let (workspace, name) = own.split_at_checked(UUID_CHARACTERS)?;
        Some(Self {
            workspace: Some(workspace.parse().ok()?),
            name: name.strip_prefix('-')?.parse().ok()?,
        })
    }
}

const UUID_CHARACTERS: usize = 36;

/// The facts of a custom role's life. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// The role holds these permissions and no others. Without a workspace it is a role of the platform.
    RoleDefined {
        role: RoleName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        workspace: Option<WorkspaceId>,
        permissions: BTreeSet<Permission>,
    },
    /// The role allows nothing any more, whoever holds it, and its name is never defined again.
    RoleRetired {
        role: RoleName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        workspace: Option<WorkspaceId>,
    },
}

/// A role that somebody defined, for the platform or for one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// None once the role is retired.
    pub permissions: BTreeSet<Permission>,
    pub retired: bool,
}

#[derive(Debug, Clone)]
pub enum Command {
    /// Gives the role these permissions and no others, whatever it had before.
    Define {
        role: RoleKey,
        permissions: BTreeSet<Permission>,
    },
    Retire {
        role: RoleKey,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("there is no such role")]
    NotFound,
    #[error("the role {0} is built in and cannot be changed")]
    BuiltIn(RoleName),
    #[error("the role {0} was retired, and its name is not free again")]
    Retired(RoleName),
    #[error("a platform role holds platform permissions; {0} is not one")]
    NotForPlatform(Permission),
    #[error("a workspace's role holds permissions of the workspace and its projects; {0} is not one")]
    NotForWorkspace(Permission),
    #[error("a role needs at least one permission")]
    Empty,
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::BuiltIn(_) => "ROLE_BUILT_IN",
            Self::Retired(_) => "ROLE_RETIRED",
            Self::NotForPlatform(_) | Self::NotForWorkspace(_) => "PERMISSION_LEVEL",
            Self::Empty => "ROLE_EMPTY",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::Retired(_) => RejectionKind::Conflict,
            Self::BuiltIn(_) | Self::NotForPlatform(_) | Self::NotForWorkspace(_) | Self::Empty => {
                RejectionKind::Invalid
            }
        }
    }
}

impl Decider for Role {
    const CATEGORY: &'static str = "role";
    type Command = Command;
    type Event = Event;
    type State = Option<Self>;
    type Rejection = Rejection;

    fn decide(state: &Self::State, command: Command, _: Stamp) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Define { role, permissions } => define(state.as_ref(), role, permissions),
            Command::Retire { role } => match state {
                _ if BuiltInRole::named(&role.name).is_some() => Err(Rejection::BuiltIn(role.name)),
                None => Err(Rejection::NotFound),
                Some(known) if known.retired => Ok(vec![]),
                Some(_) => {
                    let RoleKey { name: role, workspace } = role;
                    Ok(vec![Event::RoleRetired { role, workspace }])
                }
            },
        }
    }

    fn evolve(_: Self::State, event: &Event, _: Stamp) -> Self::State {
        match event {
            Event::RoleDefined { permissions, .. } => Some(Self {
                permissions: permissions.clone(),
                retired: false,
            }),
            Event::RoleRetired { .. } => Some(Self {
                permissions: BTreeSet::new(),
                retired: true,
            }),
        }
    }
}

fn define(known: Option<&Role>, role: RoleKey, permissions: BTreeSet<Permission>) -> Result<Vec<Event>, Rejection> {
    let RoleKey { name: role, workspace } = role;
    if BuiltInRole::named(&role).is_some() {
        return Err(Rejection::BuiltIn(role));
    }
    if known.is_some_and(|known| known.retired) {
        return Err(Rejection::Retired(role));
    }
    let for_platform = |p: &&Permission| p.level() == Level::Platform;
    match workspace {
        None => {
            if let Some(wrong) = permissions.iter().find(|p| !for_platform(p)) {
                return Err(Rejection::NotForPlatform(*wrong));
            }
        }
        Some(_) => {
            if let Some(wrong) = permissions.iter().find(for_platform) {
                return Err(Rejection::NotForWorkspace(*wrong));
            }
        }
    }
    if permissions.is_empty() {
        return Err(Rejection::Empty);
    }
    if known.is_some_and(|known| known.permissions == permissions) {
        return Ok(vec![]);
    }
    Ok(vec![Event::RoleDefined {
        role,
        workspace,
        permissions,
    }])
}

/// A role that is granted where it does not belong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    #[error("the role {role} is granted on another level: {expected:?}, not {found:?}")]
    Level {
        role: RoleName,
        expected: Level,
        found: Level,
    },
    #[error("the role {role} holds {permission}, which nobody can do in a project; grant it in the workspace")]
    Permission { role: RoleName, permission: Permission },
}

/// Whether a role with these permissions can be granted on `level`: a built-in role on its own, a custom role where it
/// was defined, and a workspace's role also in its projects if all it holds is for projects.
///
/// # Errors
///
/// [`Misplaced`] if it cannot.
pub fn belongs(role: &RoleName, permissions: &BTreeSet<Permission>, level: Level) -> Result<(), Misplaced> {
    if let Some(built_in) = BuiltInRole::named(role) {
        if built_in.level == level {
            return Ok(());
        }
        return Err(Misplaced::Level {
            role: role.clone(),
            expected: built_in.level,
            found: level,
        });
    }
    let wider = permissions
        .iter()
        .find(|permission| permission.level() != Level::Project);
    match wider {
        Some(permission) if level == Level::Project => Err(Misplaced::Permission {
            role: role.clone(),
            permission: *permission,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
