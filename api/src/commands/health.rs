//! How a release is on its cluster. The cluster is asked while the command is decided, and only what is new is recorded.

use domain::{
    cluster::{self, Cluster},
    digest::Sealed,
    health::{Observe, Observed},
    ids::ReleaseId,
    permission::Permission,
    release::Release,
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work, applied::last_applied, installable::visible_release, work::holder};
use crate::{
    causes::with_causes,
    effects::kubernetes::{Findings, Site, SiteOf, look},
};

/// Looks whether what was applied is there, ready, and as it was applied.
#[derive(Debug, Serialize)]
pub struct CheckRelease {
    pub release: ReleaseId,
}

impl Command for CheckRelease {
    const NAME: &'static str = "CheckRelease";

    fn target(&self) -> Option<Target> {
        Some(Target::Release(self.release))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let (release, place) = visible_release(work, self.release).await?;
        work.authorize(Permission::ReleaseView, place)?;
        let Findings { health, words } = self.look(work, &release).await?;
        let before = work.load::<Observed>(self.release).await?;
        let findings = sealed(work, self.release, before, &words.join("\n")).await?;
        work.decide::<Observed>(self.release, Observe(Observed { health, findings }))
            .await?;
        Ok(Target::Release(self.release))
    }
}

impl CheckRelease {
    async fn look(&self, work: &mut Work<'_>, release: &Release) -> Result<Findings, CommandError> {
        let manifest = self.manifest(work, release).await?;
        let not_found = || CommandError::NotFound("release");
        let project = work.load::<domain::project::Project>(release.project).await?;
        let project = project.ok_or_else(not_found)?;
        let cluster = work.load::<Cluster>(project.cluster).await?.ok_or_else(not_found)?;
        let Some(link) = &cluster.link else {
            return Err(CommandError::rejected(cluster::Rejection::NotKubernetes));
        };
        let (id, app, namespace) = (release.project, release.app, project.namespace.to_string());
        let site = SiteOf {
            vault: &work.commands.vault,
            timeout: work.commands.limits.cluster_timeout,
            id,
            project,
            link,
            is_cluster_wide: cluster.cluster_wide.contains(&app),
        };
        let site = Site::of(site).await.map_err(|error| unseen(&error))?;
        let looked = look(&site.client, &namespace, &manifest).await;
        looked.map_err(|error| unseen(&error))
    }

    /// What was applied last.
    async fn manifest(&self, work: &Work<'_>, release: &Release) -> Result<String, CommandError> {
        let missing = || CommandError::Invalid {
            code: "RELEASE_NOT_RUNNING",
            message: "nothing of this release was applied, or it is uninstalled".to_owned(),
            path: vec!["input", "release"],
        };
        if release.uninstalled {
            return Err(missing());
        }
        let applied = last_applied(&work.commands.views, &work.commands.vault, self.release).await?;
        applied.ok_or_else(missing)
    }
}

/// What was found, sealed under the release's key: the same text as before is what it was sealed as before.
async fn sealed(
    work: &mut Work<'_>,
    id: ReleaseId,
    before: Option<Observed>,
    words: &str,
) -> Result<Option<Sealed>, CommandError> {
    if words.is_empty() {
        return Ok(None);
    }
    if let Some(known) = before.and_then(|before| before.findings) {
        let text = work.commands.vault.unseal(&known).await?;
        if text.is_some_and(|text| text.as_slice() == words.as_bytes()) {
            return Ok(Some(known));
        }
    }
    work.seal(&holder::<Release>(id), words).await.map(Some)
}

fn unseen(error: &dyn std::error::Error) -> CommandError {
    CommandError::Invalid {
        code: "RELEASE_NOT_SEEN",
        message: with_causes(error),
        path: vec!["input", "release"],
    }
}
