//! What can be allowed: one permission per transition, so that nobody can publish because they can upload.

use std::{fmt, str::FromStr};

use crate::text::as_text;

/// Where a permission is asked for, and where a role gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Platform,
    Workspace,
    Project,
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal at $level:ident,)+) => {
        /// One thing somebody may do. Stored in role definitions by its text: rename nothing, remove nothing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $($(#[$doc])* $name,)+ }

        as_text!(Permission);

        impl Permission {
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The level at which the permission is asked for.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$name => Level::$level,)+ }
            }
        }
    };
}

permissions! {
    /// See the published store.
    StoreView = "store.view" at Platform,
    /// See the review queue, and what was submitted to it.
    ReviewView = "review.view" at Platform,
    ReviewStart = "review.start" at Platform,
    ReviewApprove = "review.approve" at Platform,
    ReviewReject = "review.reject" at Platform,
    /// Take any app or version out of the store.
    StoreSuspend = "store.suspend" at Platform,
    StoreResume = "store.resume" at Platform,
    CategoryCreate = "category.create" at Platform,
    CategoryEdit = "category.edit" at Platform,
    CategoryDelete = "category.delete" at Platform,
    /// Put any published app on a shelf.
    CategoryAssign = "category.assign" at Platform,
    /// Read the audit trail and every decision.
    AuditView = "audit.view" at Platform,
    /// See what the store no longer shows.
    HistoryView = "history.view" at Platform,
    AccountManage = "account.manage" at Platform,
    RoleManage = "role.manage" at Platform,
    WorkspaceManage = "workspace.manage" at Platform,
    ClusterManage = "cluster.manage" at Platform,
    /// Say what a submission has to pass.
    PolicyManage = "policy.manage" at Platform,
    /// Take published bytes away for good: an archive, a text, a picture.
    ContentRemove = "content.remove" at Platform,

    /// See a workspace, its apps and their versions in every state.
    WorkspaceView = "workspace.view" at Workspace,
    /// Close a workspace that owns nothing any more.
    WorkspaceClose = "workspace.close" at Workspace,
    /// Define and retire the workspace's own roles.
    WorkspaceRoleManage = "workspace-role.manage" at Workspace,
    ProjectManage = "project.manage" at Workspace,
    AppUpload = "app.upload" at Workspace,
    VersionUpload = "version.upload" at Workspace,
    PackageReplace = "package.replace" at Workspace,
    ListingEdit = "listing.edit" at Workspace,
    ListingSubmit = "listing.submit" at Workspace,
    ListingWithdraw = "listing.withdraw" at Workspace,
    VersionSubmit = "version.submit" at Workspace,
    VersionWithdraw = "version.withdraw" at Workspace,
    VersionPublish = "version.publish" at Workspace,
    VersionSuspend = "version.suspend" at Workspace,
    VersionResume = "version.resume" at Workspace,
    VersionDelete = "version.delete" at Workspace,
    AppSuspend = "app.suspend" at Workspace,
    AppResume = "app.resume" at Workspace,
    AppDelete = "app.delete" at Workspace,
    /// Give an app to another workspace, and take one from another; needed in both.
    AppMove = "app.move" at Workspace,
    /// Put an app of the own workspace on a shelf.
    AppCategorise = "app.categorise" at Workspace,
    /// Install a version of the own workspace that the store does not show.
    VersionTest = "version.test" at Workspace,

    /// Invite people, and give and take their roles: in a workspace with its projects, or in one project.
    MemberManage = "member.manage" at Project,
    ReleaseView = "release.view" at Project,
    /// Read the values of releases, and what Helm rendered with them.
    ReleaseValues = "release.values" at Project,
    ReleaseInstall = "release.install" at Project,
    ReleaseUpgrade = "release.upgrade" at Project,
    ReleaseRollback = "release.rollback" at Project,
    ReleaseUninstall = "release.uninstall" at Project,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no permission {0:?}")]
pub struct UnknownPermission(String);

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|p| p.as_str() == text)
            .ok_or_else(|| UnknownPermission(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_permission_reads_back_from_its_own_text() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(*permission));
        }
        let texts: BTreeSet<_> = Permission::ALL.iter().map(|p| p.as_str()).collect();
        assert_eq!(texts.len(), Permission::ALL.len());
    }

    #[test]
    fn a_permission_nobody_knows_is_refused_also_from_json() {
        assert_eq!(
            "store.burn".parse::<Permission>(),
            Err(UnknownPermission("store.burn".to_owned()))
        );
        assert!(serde_json::from_str::<Permission>("\"store.burn\"").is_err());
    }
}
