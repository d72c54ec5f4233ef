//! Charts on their way in, and versions on their way to review.

use async_graphql::{Context, ID, InputObject, Object};
use uuid::Uuid;

use super::payload::{self, give, payload};
use crate::{
    commands::{DeleteApp, DeleteVersion, ReplacePackage, SubmitVersion, UploadApp, UploadVersion, WithdrawVersion},
    graphql::{apps::App, error::Result, versions::Version},
};

#[derive(Default)]
pub struct AppMutation;

/// What to make an app of.
#[derive(InputObject)]
struct UploadAppInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The workspace that will own the app.
    workspace: ID,
    /// The upload id of a chart.
    upload: String,
}

/// What to add to an app.
#[derive(InputObject)]
struct UploadVersionInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The app.
    app: ID,
    /// The upload id of a chart of the app's name.
    upload: String,
}

/// Which archive to exchange.
#[derive(InputObject)]
struct ReplacePackageInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The version, in draft or rejected.
    version: ID,
    /// Refuse if the version has had another number of events.
    expected_revision: Option<u64>,
    /// The upload id of a chart of the same name and number.
    upload: String,
}

/// Which version to do it to.
#[derive(InputObject)]
pub struct VersionInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    pub command_id: Option<Uuid>,
    /// The version.
    pub version: ID,
    /// Refuse if the version has had another number of events.
    pub expected_revision: Option<u64>,
}

/// Which app to do it to.
#[derive(InputObject)]
pub struct AppInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    pub command_id: Option<Uuid>,
    /// The app.
    pub app: ID,
}

payload!(
    /// The app that was made.
    UploadAppPayload {
        /// The app, with its first version in draft.
        app: App
    }
);
payload!(
    /// The version that was added.
    UploadVersionPayload {
        /// The version, in draft.
        version: Version
    }
);
payload!(
    /// The version with its new archive.
    ReplacePackagePayload {
        /// The version, in draft.
        version: Version
    }
);
payload!(
    /// The version that waits for a review.
    SubmitVersionPayload {
        /// The version.
        version: Version
    }
);
payload!(
    /// The version that was taken back.
    WithdrawVersionPayload {
        /// The version, in draft.
        version: Version
    }
);
payload!(
    /// The app that lost a version.
    DeleteVersionPayload {
        /// The app.
        app: App
    }
);
payload!(
    /// The app that is gone.
    DeleteAppPayload {
        /// The app, with its history.
        app: App
    }
);

#[Object]
impl AppMutation {
    /// Makes an app of an uploaded chart: its first version, and a listing drafted from what the chart says of itself.
    async fn upload_app(&self, ctx: &Context<'_>, input: UploadAppInput) -> Result<UploadAppPayload> {
        let UploadAppInput {
            command_id,
            workspace,
            upload,
        } = input;
        let command = payload::workspace(&workspace).map(|workspace| UploadApp { workspace, upload });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Adds a version to an app.
    async fn upload_version(&self, ctx: &Context<'_>, input: UploadVersionInput) -> Result<UploadVersionPayload> {
        let UploadVersionInput {
            command_id,
            app,
            upload,
        } = input;
        let command = payload::app(&app).map(|app| UploadVersion { app, upload });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Exchanges the archive of a draft or rejected version.
    async fn replace_package(&self, ctx: &Context<'_>, input: ReplacePackageInput) -> Result<ReplacePackagePayload> {
        let ReplacePackageInput {
            command_id,
            version,
            expected_revision,
            upload,
        } = input;
        let command = payload::version(&version).map(|(app, version)| ReplacePackage {
            app,
            version,
            expected_revision,
            upload,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Hands a version to the reviewers, with the listing as it is drafted now.
    async fn submit_version(&self, ctx: &Context<'_>, input: VersionInput) -> Result<SubmitVersionPayload> {
        let VersionInput {
            command_id,
            version,
            expected_revision,
        } = input;
        let command = payload::version(&version).map(|(app, version)| SubmitVersion {
            app,
            version,
            expected_revision,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Takes a version back from review, or from the publication it was approved for.
    async fn withdraw_version(&self, ctx: &Context<'_>, input: VersionInput) -> Result<WithdrawVersionPayload> {
        let VersionInput {
            command_id,
            version,
            expected_revision,
        } = input;
        let command = payload::version(&version).map(|(app, version)| WithdrawVersion {
            app,
            version,
            expected_revision,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Deletes a version that is not under way and not in the store. Its releases go on.
    async fn delete_version(&self, ctx: &Context<'_>, input: VersionInput) -> Result<DeleteVersionPayload> {
        let VersionInput {
            command_id,
            version,
            expected_revision,
        } = input;
        let command = payload::version(&version).map(|(app, version)| DeleteVersion {
            app,
            version,
            expected_revision,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Deletes an app whose versions are all deleted. Its releases go on.
    async fn delete_app(&self, ctx: &Context<'_>, input: AppInput) -> Result<DeleteAppPayload> {
        let command = payload::app(&input.app).map(|app| DeleteApp { app });
        Ok(give(ctx, input.command_id, command).await?.into())
    }
}
