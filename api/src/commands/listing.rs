//! The words and pictures of an app.

use domain::{
    access::Place,
    app::{App, Command as Do},
    digest::Digest,
    ids::{AppId, SubmissionId, WorkspaceId},
    listing::{Listing, Maintainer},
    permission::Permission,
    review_policy::ReviewPolicy,
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work};
use crate::{
    ids,
    uploads::{InvalidUpload, Upload, Uploaded},
};

/// What to change of a listing; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ListingChanges {
    pub display_name: Option<String>,
    pub summary: Option<String>,
    pub description: Option<String>,
    pub home: Option<String>,
    pub keywords: Option<Vec<String>>,
    pub maintainers: Option<Vec<MaintainerInput>>,
    pub sources: Option<Vec<String>>,
    pub licence: Option<String>,
    /// Upload ids of all screenshots, in their order.
    pub screenshots: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MaintainerInput {
    pub name: String,
    pub email: Option<String>,
    pub url: Option<String>,
}

/// Edits the draft of a listing. The store shows it after the next review.
#[derive(Debug, Serialize)]
pub struct EditListing {
    pub app: AppId,
    pub changes: ListingChanges,
}

impl Command for EditListing {
    const NAME: &'static str = "EditListing";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let (workspace, mut listing) = draft(work, self.app).await?;
        self.changes.apply(work, workspace, &mut listing)?;
        if self.changes.screenshots.is_some() {
            for screenshot in listing.screenshots.clone() {
                work.name_content(screenshot).await?;
            }
        }
        listing.check()?;
        let listing = work.document(&listing).await?;
        work.decide_on_app(self.app, Do::EditListing { listing }).await?;
        Ok(Target::App(self.app))
    }
}

/// Sets the icon in the draft of a listing.
#[derive(Debug, Serialize)]
pub struct SetIcon {
    pub app: AppId,
    pub upload: String,
}

impl Command for SetIcon {
    const NAME: &'static str = "SetIcon";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let (workspace, mut listing) = draft(work, self.app).await?;
        let icon = match uploaded(work, &self.upload, workspace)? {
            Uploaded::Icon { image } => image,
            Uploaded::Chart { .. } | Uploaded::Screenshot { .. } => {
                return Err(InvalidUpload::WrongKind { expected: "icon" }.into());
            }
        };
        work.name_content(icon).await?;
        listing.icon = Some(icon);
        let listing = work.document(&listing).await?;
        work.decide_on_app(self.app, Do::SetIcon { icon, listing }).await?;
        Ok(Target::App(self.app))
    }
}

/// Hands the drafted listing of an app in the store to the reviewers, without a version.
#[derive(Debug, Serialize)]
pub struct SubmitListing {
    pub app: AppId,
}

impl Command for SubmitListing {
    const NAME: &'static str = "SubmitListing";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let review = work.load::<ReviewPolicy>(ReviewPolicy::KEY).await?;
        let policy = work.document(&review).await?;
        let submission = SubmissionId::from_uuid(ids::fresh());
        let submit = Do::SubmitListing {
            submission,
            policy,
            review,
        };
        work.decide_on_app(self.app, submit).await?;
        Ok(Target::App(self.app))
    }
}

/// Takes a listing back from review.
#[derive(Debug, Serialize)]
pub struct WithdrawListing {
    pub app: AppId,
}

impl Command for WithdrawListing {
    const NAME: &'static str = "WithdrawListing";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.decide_on_app(self.app, Do::WithdrawListing).await?;
        Ok(Target::App(self.app))
    }
}

impl ListingChanges {
    fn apply(&self, work: &Work<'_>, workspace: WorkspaceId, listing: &mut Listing) -> Result<(), CommandError> {
        set(&mut listing.display_name, self.display_name.as_ref());
        set(&mut listing.summary, self.summary.as_ref());
        set(&mut listing.description, self.description.as_ref());
        set(&mut listing.keywords, self.keywords.as_ref());
        set(&mut listing.sources, self.sources.as_ref());
        // An empty text takes an optional line away.
        set(&mut listing.home, self.home.clone().map(filled).as_ref());
        set(&mut listing.licence, self.licence.clone().map(filled).as_ref());
        if let Some(maintainers) = &self.maintainers {
            listing.maintainers = maintainers.iter().map(MaintainerInput::to_maintainer).collect();
        }
        if let Some(screenshots) = &self.screenshots {
            let shown = screenshots.iter().map(|upload| screenshot(work, upload, workspace));
            listing.screenshots = shown.collect::<Result<_, _>>()?;
        }
        Ok(())
    }
}

impl MaintainerInput {
    fn to_maintainer(&self) -> Maintainer {
        Maintainer {
            name: self.name.clone(),
            email: self.email.clone(),
            url: self.url.clone(),
        }
    }
}

fn set<T: Clone>(field: &mut T, value: Option<&T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// The listing as it is drafted, if the giver may edit it.
async fn draft(work: &mut Work<'_>, id: AppId) -> Result<(WorkspaceId, Listing), CommandError> {
    let App { workspace, listing, .. } = work.visible_app(id).await?;
    work.authorize(Permission::ListingEdit, Place::Workspace(workspace))?;
    let document = work.commands.content.listing(listing.draft).await?;
    // A listing that was removed for good is written anew.
    Ok((workspace, document.unwrap_or_default()))
}

fn screenshot(work: &Work<'_>, upload: &str, workspace: WorkspaceId) -> Result<Digest, CommandError> {
    match uploaded(work, upload, workspace)? {
        Uploaded::Screenshot { image } => Ok(image),
        Uploaded::Chart { .. } | Uploaded::Icon { .. } => {
            Err(InvalidUpload::WrongKind { expected: "screenshot" }.into())
        }
    }
}

fn uploaded(work: &Work<'_>, upload: &str, workspace: WorkspaceId) -> Result<Uploaded, CommandError> {
    Ok(Upload::from_id(
        upload,
        &work.commands.key,
        work.account()?,
        workspace,
        work.stamp.at,
    )?)
}
