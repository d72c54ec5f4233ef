//! Into the store and out of it.

use async_graphql::{Context, ID, InputObject, Object};
use uuid::Uuid;

use super::{
    apps::{AppInput, VersionInput},
    payload::{self, give, payload},
};
use crate::{
    commands::{PublishVersion, ResumeApp, ResumeVersion, SuspendApp, SuspendVersion},
    graphql::{apps::App, error::Result, versions::Version},
};

#[derive(Default)]
pub struct StoreMutation;

/// Which version to take out of the store, and why.
#[derive(InputObject)]
struct SuspendVersionInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The version.
    version: ID,
    /// Refuse if the version has had another number of events.
    expected_revision: Option<u64>,
    /// Why, at most 4,000 characters.
    reason: Option<String>,
}

/// Which app to take out of the store, and why.
#[derive(InputObject)]
struct SuspendAppInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The app.
    app: ID,
    /// Why, at most 4,000 characters.
    reason: Option<String>,
}

payload!(
    /// The version in the store.
    PublishVersionPayload {
        /// The version.
        version: Version
    }
);
payload!(
    /// The version that is out of the store.
    SuspendVersionPayload {
        /// The version.
        version: Version
    }
);
payload!(
    /// The version that is back.
    ResumeVersionPayload {
        /// The version.
        version: Version
    }
);
payload!(
    /// The app that is out of the store.
    SuspendAppPayload {
        /// The app.
        app: App
    }
);
payload!(
    /// The app that is back.
    ResumeAppPayload {
        /// The app.
        app: App
    }
);

#[Object]
impl StoreMutation {
    /// Puts an approved version into the store, with the listing that was approved with it.
    async fn publish_version(&self, ctx: &Context<'_>, input: VersionInput) -> Result<PublishVersionPayload> {
        let VersionInput {
            command_id,
            version,
            expected_revision,
        } = input;
        let command = payload::version(&version).map(|(app, version)| PublishVersion {
            app,
            version,
            expected_revision,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Takes one version out of the store. Its releases go on.
    async fn suspend_version(&self, ctx: &Context<'_>, input: SuspendVersionInput) -> Result<SuspendVersionPayload> {
        let SuspendVersionInput {
            command_id,
            version,
            expected_revision,
            reason,
        } = input;
        let command = payload::version(&version).map(|(app, version)| SuspendVersion {
            app,
            version,
            expected_revision,
            reason,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Brings a version back into the store.
    async fn resume_version(&self, ctx: &Context<'_>, input: VersionInput) -> Result<ResumeVersionPayload> {
        let VersionInput {
            command_id,
            version,
            expected_revision,
        } = input;
        let command = payload::version(&version).map(|(app, version)| ResumeVersion {
            app,
            version,
            expected_revision,
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Takes an app as a whole out of the store, and stops its publishing. Its releases go on.
    async fn suspend_app(&self, ctx: &Context<'_>, input: SuspendAppInput) -> Result<SuspendAppPayload> {
        let SuspendAppInput {
            command_id,
            app,
            reason,
        } = input;
        let command = payload::app(&app).map(|app| SuspendApp { app, reason });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Brings an app back. Versions that were suspended one by one stay suspended.
    async fn resume_app(&self, ctx: &Context<'_>, input: AppInput) -> Result<ResumeAppPayload> {
        let command = payload::app(&input.app).map(|app| ResumeApp { app });
        Ok(give(ctx, input.command_id, command).await?.into())
    }
}
