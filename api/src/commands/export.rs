//! What leaves the product is written down first.

use domain::{
    access::Place,
    app::App,
    export::{Command as Do, Export},
    permission::Permission,
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work};
use crate::exports::Prepared;

/// Records that decisions are about to be exported, for whoever may see them: an auditor all, others those of one
/// workspace or app of theirs.
#[derive(Debug, Serialize)]
pub struct RecordExport(pub Prepared);

impl Command for RecordExport {
    const NAME: &'static str = "RecordExport";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        self.authorize(work).await?;
        let Prepared {
            export,
            format,
            selection,
            size,
            count,
        } = self.0;
        let record = Do::Record {
            format,
            selection,
            size,
            count,
        };
        work.decide::<Export>(export, record).await?;
        Ok(Target::Export(export))
    }
}

impl RecordExport {
    async fn authorize(&self, work: &mut Work<'_>) -> Result<(), CommandError> {
        let Err(denied) = work.authorize(Permission::AuditView, Place::Platform) else {
            return Ok(());
        };
        let selection = self.0.selection;
        let (owner, what) = match (selection.app, selection.workspace) {
            (Some(app), _) => (work.load::<App>(app).await?.map(|app| app.workspace), "app"),
            (None, Some(workspace)) => (Some(workspace), "workspace"),
            (None, None) => return Err(denied.into()),
        };
        // What is another tenant's is as what does not exist.
        let what = selection.decision.map_or(what, |_| "decision");
        let owner = owner.ok_or(CommandError::NotFound(what))?;
        work.authorize(Permission::WorkspaceView, Place::Workspace(owner))
            .map_err(|_| CommandError::NotFound(what))
    }
}
