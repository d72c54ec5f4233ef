//! What releases may be made of, and who may know of them.

use domain::{
    access::Place,
    app::Version,
    ids::{AppId, ProjectId, ReleaseId, WorkspaceId},
    permission::Permission,
    project::Project,
    release::Release,
    version_number::VersionNumber,
};

use super::{CommandError, Work};

/// A version the giver may install. Loading its app makes a suspension that lands meanwhile win.
pub(super) async fn installable(
    work: &mut Work<'_>,
    id: AppId,
    number: &VersionNumber,
) -> Result<Version, CommandError> {
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

pub(super) async fn visible_project(work: &mut Work<'_>, id: ProjectId) -> Result<Project, CommandError> {
    let project = work
        .load::<Project>(id)
        .await?
        .ok_or(CommandError::NotFound("project"))?;
    visible_in(work, id, project.workspace, "project")?;
    Ok(project)
}

pub(super) async fn visible_release(work: &mut Work<'_>, id: ReleaseId) -> Result<(Release, Place), CommandError> {
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
