//! Charts on their way in, and versions on their way to review and out again.

use domain::{
    access::Place,
    app::{App, Command as Do, Event, Package},
    category::{self, Category},
    ids::{AppId, SubmissionId, WorkspaceId},
    listing::{Listing, Maintainer, is_link},
    name::Claim,
    names::ChartName,
    permission::Permission,
    review_policy::ReviewPolicy,
    version_number::VersionNumber,
    workspace::{self, Workspace},
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work, work::holder};
use crate::{
    ids,
    uploads::{InvalidUpload, Upload, Uploaded},
};

/// Makes an app of an uploaded chart: its first version, and a listing drafted from what the chart says of itself.
#[derive(Debug, Serialize)]
pub struct UploadApp {
    pub workspace: WorkspaceId,
    pub upload: String,
}

impl Command for UploadApp {
    const NAME: &'static str = "UploadApp";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.visible_workspace(self.workspace)?;
        work.authorize(Permission::AppUpload, Place::Workspace(self.workspace))?;
        let (chart, version, package) = uploaded_chart(work, &self.upload, self.workspace).await?;
        let drafted = drafted_listing(work, &chart, &package).await?;
        let listing = work.document(&drafted).await?;

        let app = AppId::from_uuid(ids::fresh());
        let claim = Claim::App {
            workspace: self.workspace,
            chart: chart.clone(),
        };
        let upload = Do::Upload {
            workspace: self.workspace,
            chart: chart.clone(),
            listing,
            version,
            package,
        };
        work.decide::<App>(app, upload).await?;
        let taken = work.take_name(&claim, &holder::<App>(app)).await;
        taken.map_err(|error| match error {
            error if error.is("NAME_TAKEN") => exists(&chart, "upload"),
            error => error,
        })?;
        work.decide::<Workspace>(
            self.workspace,
            workspace::Command::AddApp {
                app,
                chart: chart.clone(),
            },
        )
        .await?;
        Ok(Target::App(app))
    }
}

/// Adds a version to an app.
#[derive(Debug, Serialize)]
pub struct UploadVersion {
    pub app: AppId,
    pub upload: String,
}

impl Command for UploadVersion {
    const NAME: &'static str = "UploadVersion";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let app = work.visible_app(self.app).await?;
        work.authorize(Permission::VersionUpload, Place::Workspace(app.workspace))?;
        let (chart, version, package) = uploaded_chart(work, &self.upload, app.workspace).await?;
        let upload = Do::UploadVersion {
            chart,
            version: version.clone(),
            package,
        };
        work.decide_on_app(self.app, upload).await?;
        Ok(Target::Version(self.app, version))
    }
}

/// Exchanges the archive of a draft or rejected version.
#[derive(Debug, Serialize)]
pub struct ReplacePackage {
    pub app: AppId,
    pub version: VersionNumber,
    pub expected_revision: Option<u64>,
    pub upload: String,
}

impl Command for ReplacePackage {
    const NAME: &'static str = "ReplacePackage";

    fn target(&self) -> Option<Target> {
        Some(Target::Version(self.app, self.version.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let app = work.visible_app(self.app).await?;
        work.authorize(Permission::PackageReplace, Place::Workspace(app.workspace))?;
        let (chart, number, package) = uploaded_chart(work, &self.upload, app.workspace).await?;
        let replace = Do::ReplacePackage {
            version: self.version.clone(),
            chart,
            number,
            package,
        };
        on_version(work, self.app, &self.version, self.expected_revision, replace).await
    }
}

/// Hands a version, with the listing as it is drafted now, to the reviewers.
#[derive(Debug, Serialize)]
pub struct SubmitVersion {
    pub app: AppId,
    pub version: VersionNumber,
    pub expected_revision: Option<u64>,
}

impl Command for SubmitVersion {
    const NAME: &'static str = "SubmitVersion";

    fn target(&self) -> Option<Target> {
        Some(Target::Version(self.app, self.version.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let review = work.load::<ReviewPolicy>(ReviewPolicy::KEY).await?;
        let policy = work.document(&review).await?;
        let submission = SubmissionId::from_uuid(ids::fresh());
        let submit = Do::SubmitVersion {
            version: self.version.clone(),
            submission,
            policy,
            review,
        };
        let target = on_version(work, self.app, &self.version, self.expected_revision, submit).await?;
        package_is_there(work, self.app, &self.version).await?;
        Ok(target)
    }
}

/// Takes a version back from review, or from the publication it was approved for.
#[derive(Debug, Serialize)]
pub struct WithdrawVersion {
    pub app: AppId,
    pub version: VersionNumber,
    pub expected_revision: Option<u64>,
}

impl Command for WithdrawVersion {
    const NAME: &'static str = "WithdrawVersion";

    fn target(&self) -> Option<Target> {
        Some(Target::Version(self.app, self.version.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let withdraw = Do::WithdrawVersion {
            version: self.version.clone(),
        };
        on_version(work, self.app, &self.version, self.expected_revision, withdraw).await
    }
}

/// Deletes a version that is not under way and not in the store. Releases of it go on.
#[derive(Debug, Serialize)]
pub struct DeleteVersion {
    pub app: AppId,
    pub version: VersionNumber,
    pub expected_revision: Option<u64>,
}

impl Command for DeleteVersion {
    const NAME: &'static str = "DeleteVersion";

    fn target(&self) -> Option<Target> {
        Some(Target::Version(self.app, self.version.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let delete = Do::DeleteVersion {
            version: self.version.clone(),
        };
        on_version(work, self.app, &self.version, self.expected_revision, delete).await
    }
}

/// Deletes an app whose versions are all deleted, and gives its names and its place on the shelf back.
#[derive(Debug, Serialize)]
pub struct DeleteApp {
    pub app: AppId,
}

impl Command for DeleteApp {
    const NAME: &'static str = "DeleteApp";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let app = work.visible_app(self.app).await?;
        let deleted = work.decide_on_app(self.app, Do::DeleteApp).await?;
        if deleted.contains(&Event::AppDeleted {}) {
            let holder = holder::<App>(self.app);
            let App {
                workspace,
                chart,
                category,
                ..
            } = app;
            work.release_name(
                &Claim::App {
                    workspace,
                    chart: chart.clone(),
                },
                &holder,
            )
            .await?;
            work.release_name(&Claim::Store { chart }, &holder).await?;
            work.decide::<Workspace>(workspace, workspace::Command::RemoveApp { app: self.app })
                .await?;
            if let Some(category) = category {
                work.decide::<Category>(category, category::Command::Unshelve { app: self.app })
                    .await?;
            }
        }
        Ok(Target::App(self.app))
    }
}

/// Decides a command about one version, if the version is as its giver saw it.
pub(super) async fn on_version(
    work: &mut Work<'_>,
    app: AppId,
    version: &VersionNumber,
    expected_revision: Option<u64>,
    command: Do,
) -> Result<Target, CommandError> {
    let state = work.look::<App>(app).await?;
    let state = work.visible(state.as_ref().as_ref())?;
    // A draft of another tenant is as one that does not exist, also for those who see its app in the store.
    let known = state.versions.get(version);
    if !known.is_some_and(|known| work.sees_version(&state.visibility(), known.stage.visibility())) {
        return Err(CommandError::NotFound("version"));
    }
    if let Some(expected) = expected_revision {
        state
            .unchanged_since(version, expected)
            .map_err(CommandError::rejected)?;
    }
    work.decide_on_app(app, command).await?;
    Ok(Target::Version(app, version.clone()))
}

/// A version whose archive was removed goes nowhere: there is nothing to review, to publish or to install.
pub(super) async fn package_is_there(
    work: &mut Work<'_>,
    id: AppId,
    number: &VersionNumber,
) -> Result<(), CommandError> {
    let app = work.look::<App>(id).await?;
    match app.as_ref().as_ref().and_then(|app| app.version(number)) {
        Some(version) => work.name_content(version.package.digest).await,
        None => Ok(()),
    }
}

async fn uploaded_chart(
    work: &mut Work<'_>,
    upload: &str,
    workspace: WorkspaceId,
) -> Result<(ChartName, VersionNumber, Package), CommandError> {
    let uploaded = Upload::from_id(upload, &work.commands.key, work.account()?, workspace, work.stamp.at)?;
    match uploaded {
        Uploaded::Chart { name, version, package } => {
            work.name_content(package.digest).await?;
            work.name_content(package.chart).await?;
            Ok((name, version, package))
        }
        Uploaded::Icon { .. } | Uploaded::Screenshot { .. } => {
            Err(InvalidUpload::WrongKind { expected: "chart" }.into())
        }
    }
}

/// Another app of the workspace has the chart's name; `field` of the input asked for it.
pub(super) fn exists(chart: &ChartName, field: &'static str) -> CommandError {
    CommandError::Invalid {
        code: "APP_EXISTS",
        message: format!("this workspace has an app of the chart {chart} already; upload a version to it instead"),
        path: vec!["input", field],
    }
}

/// What a chart says of itself, cut to what a listing may hold: a first draft, to be edited.
async fn drafted_listing(work: &Work<'_>, name: &ChartName, package: &Package) -> Result<Listing, CommandError> {
    let chart = work.commands.content.chart(package.chart).await?;
    let metadata = chart.ok_or(CommandError::NotFound("chart"))?.metadata;
    let maintainers = metadata.maintainers.into_iter().map(|maintainer| {
        let url = maintainer.url.filter(|url| is_link(url));
        Maintainer {
            name: maintainer.name,
            email: maintainer.email,
            url,
        }
    });
    let drafted = Listing {
        display_name: name.to_string(),
        summary: metadata.description.unwrap_or_default(),
        home: metadata.home.filter(|url| is_link(url)),
        keywords: metadata.keywords,
        maintainers: maintainers.collect(),
        sources: metadata.sources.into_iter().filter(|url| is_link(url)).collect(),
        licence: metadata.annotations.get("artifacthub.io/license").cloned(),
        ..Listing::default()
    };
    Ok(drafted.cut_to_limits())
}
