//! Which releases run something: what whoever may take it out of the store has to know before, and after.

use async_graphql::{Context, Object};
use domain::{
    access::Place,
    ids::{AppId, WorkspaceId},
    permission::Permission,
    version_number::VersionNumber,
};
use projections::{PageRequest, releases};

use super::{
    error::Result,
    page::{self, Connected},
    releases::{Release, sees},
    viewer::{read, viewer},
};

pub struct Installations {
    app: AppId,
    version: Option<VersionNumber>,
}

impl Installations {
    /// For whoever may suspend what is installed; absent for everybody else.
    pub fn of(
        ctx: &Context<'_>,
        app: AppId,
        workspace: WorkspaceId,
        version: Option<&VersionNumber>,
    ) -> Result<Option<Self>> {
        let viewer = viewer(ctx)?;
        let own = match version {
            Some(_) => Permission::VersionSuspend,
            None => Permission::AppSuspend,
        };
        let may_suspend =
            viewer.may(Permission::StoreSuspend, Place::Platform) || viewer.may(own, Place::Workspace(workspace));
        Ok(may_suspend.then(|| Self {
            app,
            version: version.cloned(),
        }))
    }
}

/// The releases that run something, or are being brought to it. Suspending it does not touch them.
#[Object]
impl Installations {
    /// How many there are, in all workspaces.
    #[graphql(complexity = 10)]
    async fn count(&self, ctx: &Context<'_>) -> Result<u64> {
        let (app, version) = (self.app, self.version.clone());
        read(ctx, move |view| releases::count_running(view, app, version.as_ref())).await
    }

    /// Those of them that the viewer may see, the newest first.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn releases(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<Release>> {
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        let (app, version, viewer) = (self.app, self.version.clone(), viewer(ctx)?.clone());
        let page = read(ctx, move |view| {
            let list = |page: &PageRequest| releases::running(view, app, version.as_ref(), page);
            request.sift(list, |release| sees(&viewer, &release.row))
        });
        Ok(page::connection(ctx, page.await?, is_first, Release))
    }
}
