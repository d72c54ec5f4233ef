//! Installing and upgrading. It is recorded here; the worker does it.

use domain::{
    access::Place,
    app::App,
    digest::Digest,
    ids::{AppId, ProjectId, ReleaseId},
    name::Claim,
    names::ReleaseName,
    permission::Permission,
    release::{Command as Do, Deployment, Release},
    version_number::VersionNumber,
    workspace::{self, Workspace},
};
use serde::Serialize;

use super::{
    Command, CommandError, Target, Work,
    installable::{installable, visible_project, visible_release},
    values,
    work::holder,
};
use crate::{ids, values::Violation};

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
        let text = self.values.as_deref().unwrap_or_default();
        values::accept(work, version.package.chart, text).await?;
        let values = values::sealed(work, id, text).await?;
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

/// What an upgrade would want.
pub struct Plan {
    pub release: Release,
    pub version: VersionNumber,
    pub digest: Digest,
    /// What was read from the archive; `None` if the version is gone.
    pub chart: Option<Digest>,
    /// The values as text; empty for the chart's defaults.
    pub values: String,
    /// What the chart's schema has against them.
    pub violations: Vec<Violation>,
}

impl Command for UpgradeRelease {
    const NAME: &'static str = "UpgradeRelease";

    fn target(&self) -> Option<Target> {
        Some(Target::Release(self.release))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let plan = self.plan(work).await?;
        values::refuse(plan.violations)?;
        let wanted = plan.release.wanted.values;
        let values = match &self.values {
            None => wanted,
            // Sealing the same text again would look like a change.
            Some(_) if !plan.values.is_empty() && plan.values == values::unsealed(work, wanted.as_ref()).await? => {
                wanted
            }
            Some(_) => values::sealed(work, self.release, &plan.values).await?,
        };
        let deployment = Deployment {
            version: plan.version,
            digest: plan.digest,
            values,
        };
        // Also for what runs: it goes on running, and cannot be rendered again.
        work.name_content(deployment.digest).await?;
        work.decide::<Release>(self.release, Do::Upgrade { deployment }).await?;
        Ok(Target::Release(self.release))
    }
}

impl UpgradeRelease {
    /// What it comes to, if its giver may give it: nothing is decided yet.
    pub(super) async fn plan(&self, work: &mut Work<'_>) -> Result<Plan, CommandError> {
        let (release, place) = visible_release(work, self.release).await?;
        work.authorize(Permission::ReleaseUpgrade, place)?;
        let version = self.version_of(&release)?;
        let digest = match self.goes_on_running(work, &release, &version).await? {
            Some(digest) => digest,
            None => installable(work, release.app, &version).await?.package.digest,
        };
        let values = match &self.values {
            Some(text) if text.trim().is_empty() => String::new(),
            Some(text) => text.clone(),
            None => values::unsealed(work, release.wanted.values.as_ref()).await?,
        };
        let chart = chart_of(work, release.app, digest).await?;
        let violations = values::check(work, chart, &values).await?;
        Ok(Plan {
            release,
            version,
            digest,
            chart,
            values,
            violations,
        })
    }

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

/// What was read from an archive of the app; `None` once it was replaced, or its version deleted.
async fn chart_of(work: &mut Work<'_>, id: AppId, archive: Digest) -> Result<Option<Digest>, CommandError> {
    let app = work.load::<App>(id).await?;
    let packages = app
        .iter()
        .flat_map(|app| app.versions.values().map(|version| &version.package));
    let package = packages.into_iter().find(|package| package.digest == archive);
    Ok(package.map(|package| package.chart))
}
