//! Into the store and out of it.

use domain::{
    app::{App, Authority, Command as Do},
    digest::Sealed,
    ids::AppId,
    name::Claim,
    permission::Permission,
    version_number::VersionNumber,
};
use serde::Serialize;

use super::{
    Command, CommandError, Target, Work,
    app::{on_version, package_is_there},
    review::sealed_reason,
    work::holder,
};

/// Puts an approved version into the store, with the listing that was approved with it.
///
/// The store is one Helm repository, so the first app that publishes a chart name has it there.
#[derive(Debug, Serialize)]
pub struct PublishVersion {
    pub app: AppId,
    pub version: VersionNumber,
    pub expected_revision: Option<u64>,
}

impl Command for PublishVersion {
    const NAME: &'static str = "PublishVersion";

    fn target(&self) -> Option<Target> {
        Some(Target::Version(self.app, self.version.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let publish = Do::PublishVersion {
            version: self.version.clone(),
        };
        let target = on_version(work, self.app, &self.version, self.expected_revision, publish).await?;
        package_is_there(work, self.app, &self.version).await?;
        let chart = work.visible_app(self.app).await?.chart;
        work.take_name(&Claim::Store { chart }, &holder::<App>(self.app))
            .await?;
        Ok(target)
    }
}

/// Takes one version out of the store. Releases of it go on.
#[derive(Debug, Serialize)]
pub struct SuspendVersion {
    pub app: AppId,
    pub version: VersionNumber,
    pub expected_revision: Option<u64>,
    pub reason: Option<String>,
}

impl Command for SuspendVersion {
    const NAME: &'static str = "SuspendVersion";

    fn target(&self) -> Option<Target> {
        Some(Target::Version(self.app, self.version.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let authority = authority(work, Permission::StoreSuspend);
        let reason = optional_reason(work, self.app, self.reason.as_deref()).await?;
        let suspend = Do::SuspendVersion {
            version: self.version.clone(),
            authority,
            reason,
        };
        on_version(work, self.app, &self.version, self.expected_revision, suspend).await
    }
}

#[derive(Debug, Serialize)]
pub struct ResumeVersion {
    pub app: AppId,
    pub version: VersionNumber,
    pub expected_revision: Option<u64>,
}

impl Command for ResumeVersion {
    const NAME: &'static str = "ResumeVersion";

    fn target(&self) -> Option<Target> {
        Some(Target::Version(self.app, self.version.clone()))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let authority = authority(work, Permission::StoreResume);
        let resume = Do::ResumeVersion {
            version: self.version.clone(),
            authority,
        };
        on_version(work, self.app, &self.version, self.expected_revision, resume).await
    }
}

/// Takes an app as a whole out of the store, and stops its publishing. Releases of it go on.
#[derive(Debug, Serialize)]
pub struct SuspendApp {
    pub app: AppId,
    pub reason: Option<String>,
}

impl Command for SuspendApp {
    const NAME: &'static str = "SuspendApp";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let authority = authority(work, Permission::StoreSuspend);
        let reason = optional_reason(work, self.app, self.reason.as_deref()).await?;
        work.decide_on_app(self.app, Do::SuspendApp { authority, reason })
            .await?;
        Ok(Target::App(self.app))
    }
}

/// Brings an app back. Versions that were suspended one by one stay suspended.
#[derive(Debug, Serialize)]
pub struct ResumeApp {
    pub app: AppId,
}

impl Command for ResumeApp {
    const NAME: &'static str = "ResumeApp";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let authority = authority(work, Permission::StoreResume);
        work.decide_on_app(self.app, Do::ResumeApp { authority }).await?;
        Ok(Target::App(self.app))
    }
}

/// In whose name the giver acts; Charthouse itself acts for the store.
pub(super) fn authority(work: &Work<'_>, for_the_store: Permission) -> Authority {
    work.principal()
        .map_or(Authority::Store, |principal| Authority::of(principal, for_the_store))
}

async fn optional_reason(work: &mut Work<'_>, app: AppId, text: Option<&str>) -> Result<Option<Sealed>, CommandError> {
    match text {
        Some(text) if !text.trim().is_empty() => sealed_reason(work, app, text).await.map(Some),
        Some(_) | None => Ok(None),
    }
}
