//! What users ask of releases. It is recorded here; the worker does it.

use domain::{
    access::Place,
    app::{App, Version},
    digest::{Digest, Sealed},
    ids::{AppId, ProjectId, ReleaseId, WorkspaceId},
    name::Claim,
    names::ReleaseName,
    permission::Permission,
    project::Project,
    release::{Command as Do, Deployment, Release},
    version_number::VersionNumber,
    workspace::{self, Workspace},
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work, work::holder};
use crate::{chart_archive::values_problem, ids};

/// Installs a version of the store, or as a test one of the own workspace in any state but deleted.
#[derive(Debug, Serialize)]
pub struct InstallRelease {
    pub project: ProjectId,
    pub name: ReleaseName,
    pub app: AppId,
    pub version: VersionNumber,
    pub values: Option<String>,
}

impl Command for InstallRelease {
    const NAME: &'static str = "InstallRelease";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let project = visible_project(work, self.project).await?;
        let place = Place::Project {
            project: self.project,
            workspace: project.workspace,
        };
        work.authorize(Permission::ReleaseInstall, place)?;
        let version = installable(work, self.app, &self.version).await?;
        work.name_content(version.package.digest).await?;
        let id = ReleaseId::from_uuid(ids::fresh());
        let values = sealed_values(work, id, self.values.as_deref()).await?;
        let deployment = Deployment {
            version: self.version.clone(),
            digest: version.package.digest,
            values,
        };
        let install = Do::Install {
            app: self.app,
            project: self.project,
            name: self.name.clone(),
            deployment,
        };
        work.decide::<Release>(id, install).await?;
        let claim = Claim::Release {
            project: self.project,
            name: self.name.clone(),
        };
        work.take_name(&claim, &holder::<Release>(id)).await?;
        let add = workspace::Command::AddRelease {
            release: id,
            name: self.name.clone(),
        };
        work.decide::<Workspace>(project.workspace, add).await?;
        Ok(Target::Release(id))
    }
}

/// Brings a release to another version, to other values, or both; also corrects one that failed.
#[derive(Debug, Serialize)]
pub struct UpgradeRelease {
    pub release: ReleaseId,
    /// `None` stays at the version that is wanted now, and only reconfigures. The app must be the release's own.
    pub version: Option<(AppId, VersionNumber)>,
    /// `None` keeps the values that are wanted now; the empty text goes back to the chart's defaults.
    pub values: Option<String>,
}

impl Command for UpgradeRelease {
    const NAME: &'static str = "UpgradeRelease";

    fn target(&self) -> Option<Target> {
        Some(Target::Release(self.release))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let (release, place) = visible_release(work, self.release).await?;
        work.authorize(Permission::ReleaseUpgrade, place)?;
        let version = self.version_of(&release)?;
        let values = match &self.values {
            Some(text) if is_sealed(work, release.wanted.values.as_ref(), text).await? => release.wanted.values.clone(),
            Some(text) => sealed_values(work, self.release, Some(text)).await?,
            None => release.wanted.values.clone(),
        };
        let deployment = match self.goes_on_running(work, &release, &version).await? {
            Some(digest) => Deployment {
                version,
                digest,
                values,
            },
            None => {
                let digest = installable(work, release.app, &version).await?.package.digest;
                Deployment {
                    version,
                    digest,
                    values,
                }
            }
        };
        // Also for what runs: it goes on running, and cannot be rendered again.
        work.name_content(deployment.digest).await?;
        work.decide::<Release>(self.release, Do::Upgrade { deployment }).await?;
        Ok(Target::Release(self.release))
    }
}

impl UpgradeRelease {
    /// The number to bring the release to.
    fn version_of(&self, release: &Release) -> Result<VersionNumber, CommandError> {
        match &self.version {
            Some((app, _)) if *app != release.app => Err(CommandError::Invalid {
                code: "VERSION_OF_ANOTHER_APP",
                message: "a release is upgraded to a version of its own app".to_owned(),
                path: vec!["input", "version"],
            }),
            Some((_, number)) => Ok(number.clone()),
            None => Ok(release.wanted.version.clone()),
        }
    }

    /// The bytes that run, if they are what is asked for. They may be suspended meanwhile: reconfiguring them goes on.
    /// Everything else, also what was asked for before and never ran, is installed anew and must be installable now.
    async fn goes_on_running(
        &self,
        work: &mut Work<'_>,
        release: &Release,
        version: &VersionNumber,
    ) -> Result<Option<Digest>, CommandError> {
        let Some(running) = release.observed.as_ref().filter(|running| running.version == *version) else {
            return Ok(None);
        };
        let is_meant = match self.version {
            // A number that is named means its bytes as they are now: a draft may have been replaced.
            Some(_) => !is_replaced(work, release.app, version, running.digest).await?,
            None => running.digest == release.wanted.digest,
        };
        Ok(is_meant.then_some(running.digest))
    }
}

#[derive(Debug, Serialize)]
pub struct UninstallRelease {
    pub release: ReleaseId,
}

impl Command for UninstallRelease {
    const NAME: &'static str = "UninstallRelease";

    fn target(&self) -> Option<Target> {
        Some(Target::Release(self.release))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let (_, place) = visible_release(work, self.release).await?;
        work.authorize(Permission::ReleaseUninstall, place)?;
        work.decide::<Release>(self.release, Do::Uninstall).await?;
        Ok(Target::Release(self.release))
    }
}

/// Whether the version of this number has other bytes than `digest` by now. One that is deleted has none.
async fn is_replaced(
    work: &mut Work<'_>,
    id: AppId,
    number: &VersionNumber,
    digest: Digest,
) -> Result<bool, CommandError> {
    let app = work.load::<App>(id).await?;
    let package = app
        .as_ref()
        .and_then(|app| app.version(number))
        .map(|version| version.package.digest);
    Ok(package.is_some_and(|package| package != digest))
}

/// A version the giver may install. Loading its app makes a suspension that lands meanwhile win.
async fn installable(work: &mut Work<'_>, id: AppId, number: &VersionNumber) -> Result<Version, CommandError> {
    let app = work.visible_app(id).await?;
    let not_found = || CommandError::NotFound("version");
    let version = app.version(number).ok_or_else(not_found)?;
    let may_test = work.may(Permission::VersionTest, Place::Workspace(app.workspace));
    if may_test || (app.is_installable(number) && work.may(Permission::StoreView, Place::Platform)) {
        return Ok(version.clone());
    }
    if !work.sees_version(&app.visibility(), version.stage.visibility()) {
        return Err(not_found());
    }
    let state = if app.suspended.is_some() {
        "of a suspended app"
    } else {
        version.stage.as_str()
    };
    let message = format!("version {number} is {state}; only a published version can be installed");
    Err(CommandError::Invalid {
        code: "VERSION_NOT_INSTALLABLE",
        message,
        path: vec!["input", "version"],
    })
}

async fn visible_project(work: &mut Work<'_>, id: ProjectId) -> Result<Project, CommandError> {
    let project = work
        .load::<Project>(id)
        .await?
        .ok_or(CommandError::NotFound("project"))?;
    visible_in(work, id, project.workspace, "project")?;
    Ok(project)
}

async fn visible_release(work: &mut Work<'_>, id: ReleaseId) -> Result<(Release, Place), CommandError> {
    let not_found = || CommandError::NotFound("release");
    let release = work.load::<Release>(id).await?.ok_or_else(not_found)?;
    let project = work.load::<Project>(release.project).await?.ok_or_else(not_found)?;
    let place = visible_in(work, release.project, project.workspace, "release")?;
    Ok((release, place))
}

fn visible_in(
    work: &Work<'_>,
    project: ProjectId,
    workspace: WorkspaceId,
    what: &'static str,
) -> Result<Place, CommandError> {
    let place = Place::Project { project, workspace };
    if work.may(Permission::ReleaseView, place) {
        Ok(place)
    } else {
        Err(CommandError::NotFound(what))
    }
}

/// Whether `sealed` is this text already: sealing it again would look like a change.
async fn is_sealed(work: &Work<'_>, sealed: Option<&Sealed>, text: &str) -> Result<bool, CommandError> {
    let Some(sealed) = sealed else {
        return Ok(text.trim().is_empty());
    };
    let known = work.commands.vault.unseal(sealed).await?;
    Ok(known.is_some_and(|known| known.as_slice() == text.as_bytes()))
}

/// Values in the vault, under the key of their release. They are YAML and a mapping, or nothing.
async fn sealed_values(work: &mut Work<'_>, id: ReleaseId, text: Option<&str>) -> Result<Option<Sealed>, CommandError> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    let invalid = |code, message| CommandError::Invalid {
        code,
        message,
        path: vec!["input", "values"],
    };
    let limit = work.commands.limits.values_max_bytes;
    if text.len() > limit {
        let message = format!("the values have {} bytes, and {limit} are allowed", text.len());
        return Err(invalid("VALUES_TOO_LARGE", message));
    }
    // Weighing a mebibyte of YAML takes a while, so it has a thread of its own.
    let weighed = text.to_owned();
    let problem = tokio::task::spawn_blocking(move || values_problem(&weighed)).await;
    if let Some(problem) = problem.map_err(CommandError::internal)? {
        return Err(invalid(
            "VALUES_INVALID",
            format!("the values are not a YAML mapping: {problem}"),
        ));
    }
    work.seal(&holder::<Release>(id), text).await.map(Some)
}
