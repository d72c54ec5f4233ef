//! Global ids: opaque to clients, and each names one object of the API.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    account::Scope,
    ids::{AccountId, AppId, CategoryId, ClusterId, ProjectId, ReleaseId, WorkspaceId},
    version_number::VersionNumber,
};

use crate::commands::Target;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeId {
    Account(AccountId),
    App(AppId),
    Category(CategoryId),
    Cluster(ClusterId),
    Project(ProjectId),
    Release(ReleaseId),
    Version(AppId, VersionNumber),
    Workspace(WorkspaceId),
}

impl NodeId {
    /// The object an id names; `None` for whatever is not an id. Whether it exists is another question, and for a
    /// caller the answers are the same.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
        let (kind, key) = text.split_once(':')?;
        match kind {
            "Account" => key.parse().ok().map(Self::Account),
            "App" => key.parse().ok().map(Self::App),
            "Category" => key.parse().ok().map(Self::Category),
            "Cluster" => key.parse().ok().map(Self::Cluster),
            "Project" => key.parse().ok().map(Self::Project),
            "Release" => key.parse().ok().map(Self::Release),
            "Version" => {
                let (app, number) = key.split_once(':')?;
                Some(Self::Version(app.parse().ok()?, number.parse().ok()?))
            }
            "Workspace" => key.parse().ok().map(Self::Workspace),
            _ => None,
        }
    }

    #[must_use]
    pub fn of_target(target: &Target) -> Option<Self> {
        Some(match target {
            Target::App(app) => Self::App(*app),
            Target::Version(app, number) => Self::Version(*app, number.clone()),
            Target::Category(category) => Self::Category(*category),
            Target::Release(release) => Self::Release(*release),
            Target::Workspace(workspace) => Self::Workspace(*workspace),
            Target::Project(project) => Self::Project(*project),
            Target::Cluster(cluster) => Self::Cluster(*cluster),
            Target::Account(account) | Target::Token(account, _) => Self::Account(*account),
            Target::Place(Scope::Workspace { workspace }) => Self::Workspace(*workspace),
            Target::Place(Scope::Project { project }) => Self::Project(*project),
            Target::Role(_)
            | Target::ReviewPolicy
            | Target::Place(Scope::Platform {})
            | Target::Content(_)
            | Target::Refusal(_)
            | Target::Export(_) => return None,
        })
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Account(id) => format!("Account:{id}"),
            Self::App(id) => format!("App:{id}"),
            Self::Category(id) => format!("Category:{id}"),
            Self::Cluster(id) => format!("Cluster:{id}"),
            Self::Project(id) => format!("Project:{id}"),
            Self::Release(id) => format!("Release:{id}"),
            // Two ways to write one number name one version.
            Self::Version(app, number) => format!("Version:{app}:{}", number.key()),
            Self::Workspace(id) => format!("Workspace:{id}"),
        };
        f.write_str(&URL_SAFE_NO_PAD.encode(text))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_id_names_the_object_it_was_made_of() {
        let app = AppId::from_uuid(Uuid::from_u128(7));
        for id in [NodeId::App(app), NodeId::Version(app, "1.2.3-rc.1".parse().unwrap())] {
            assert_eq!(NodeId::parse(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn what_is_not_an_id_names_nothing() {
        for text in [
            "",
            "x",
            "QXBwOg",
            "äö",
            &URL_SAFE_NO_PAD.encode("Planet:1"),
            &URL_SAFE_NO_PAD.encode("Version:1"),
        ] {
            assert_eq!(NodeId::parse(text), None, "{text}");
        }
    }
}
