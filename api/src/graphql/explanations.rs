//! Why a version is where it is.

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use domain::{
    access::Place,
    app::App,
    decider::Decider,
    ids::{AppId, SubmissionId},
    permission::Permission,
};
use eventstore::{Revision, StreamName};
use projections::{Moment, apps, explanation};
use uuid::Uuid;

use super::{
    accounts::{Account, unseal},
    apps::SuspensionAuthority,
    error::{ApiError, Result},
    reviews::ReviewDecision,
    scalars::{LogPosition, Sha256},
    versions::VersionStage,
    viewer::{services, viewer},
};

pub struct VersionExplanation(explanation::Explanation);

impl VersionExplanation {
    /// Of a version as it was at `moment`. `None` for those who see the app from outside only.
    pub async fn load(ctx: &Context<'_>, version: &apps::Version, moment: Moment) -> Result<Option<Self>> {
        let viewer = viewer(ctx)?;
        let is_inside = viewer.may(Permission::WorkspaceView, Place::Workspace(version.workspace))
            || viewer.may(Permission::ReviewView, Place::Platform)
            || viewer.may(Permission::AuditView, Place::Platform);
        if !is_inside {
            return Ok(None);
        }
        let services = services(ctx);
        let mut events = services.log.read_stream(&stream(version.app)?, Revision::NONE).await?;
        if let Moment::At(position) = moment {
            events.retain(|event| event.position.get() <= position);
        }
        let Some(found) = explanation::of(version.app, &events, &version.number)? else {
            return Ok(None);
        };
        let has_content = services.content.has(found.package).await?;
        Ok(Some(Self(if has_content { found } else { found.without_content() })))
    }
}

fn stream(app: AppId) -> Result<StreamName> {
    StreamName::new(App::CATEGORY, app).map_err(|error| ApiError::internal(&error))
}

/// The facts that led a version to where it is, and what shows or hides it in the store.
#[Object]
impl VersionExplanation {
    /// Whether the store shows it.
    async fn is_in_store(&self) -> bool {
        self.0.is_in_store
    }

    /// Why the store shows it, or everything that keeps it out.
    async fn reasons(&self) -> Vec<ExplanationReason> {
        self.0.reasons.iter().cloned().map(ExplanationReason).collect()
    }

    /// What happened to it, and what else changed how it stands in the store, in order.
    #[graphql(complexity = "100 + 10 * child_complexity")]
    async fn steps(&self) -> Vec<ExplanationStep> {
        self.0.steps.iter().cloned().map(ExplanationStep).collect()
    }
}

pub struct ExplanationReason(explanation::Reason);

/// What shows a version in the store, or keeps it out.
#[Object]
impl ExplanationReason {
    /// A stable name: `OFFERED_FIRST`, `BELOW_HIGHER`, `NOT_PUBLISHED`, `VERSION_SUSPENDED`, `APP_SUSPENDED`,
    /// `VERSION_DELETED`, `APP_DELETED` or `CONTENT_REMOVED`.
    async fn code(&self) -> &'static str {
        self.0.code()
    }

    /// The same in words.
    async fn message(&self) -> String {
        self.0.to_string()
    }
}

pub struct ExplanationStep(explanation::Step);

/// A fact that matters to a version, and what it changed.
#[Object]
impl ExplanationStep {
    /// Where its event stands in the log.
    async fn position(&self) -> LogPosition {
        LogPosition(self.0.position)
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// Who did it; absent if it was Charthouse itself.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::load_opt(ctx, self.0.actor.account()).await
    }

    /// What happened, by the event's stored name.
    async fn event(&self) -> &str {
        &self.0.event
    }

    /// What happened, in words.
    async fn message(&self) -> &str {
        &self.0.words
    }

    /// Where the version stood before; absent if it was not there.
    async fn stage_before(&self) -> Option<VersionStage> {
        self.0.before.map(Into::into)
    }

    /// Where it stood after.
    async fn stage_after(&self) -> VersionStage {
        self.0.after.into()
    }

    /// Whether the store showed it before.
    async fn was_in_store(&self) -> bool {
        self.0.was_in_store
    }

    /// Whether the store showed it after.
    async fn is_in_store(&self) -> bool {
        self.0.is_in_store
    }

    /// The submission it is about.
    async fn submission(&self) -> Option<Uuid> {
        self.0.facts.submission.map(SubmissionId::as_uuid)
    }

    /// The archive it is about.
    async fn package_digest(&self) -> Option<Sha256> {
        self.0.facts.package.map(Sha256)
    }

    /// The listing it is about.
    async fn listing_digest(&self) -> Option<Sha256> {
        self.0.facts.listing.map(Sha256)
    }

    /// The review policy that was frozen with the submission.
    async fn policy_digest(&self) -> Option<Sha256> {
        self.0.facts.policy.map(Sha256)
    }

    /// What was decided, if it is a decision.
    async fn decision(&self) -> Option<ReviewDecision> {
        self.0.facts.decision.map(Into::into)
    }

    /// In whose name it was suspended.
    async fn authority(&self) -> Option<SuspensionAuthority> {
        self.0.facts.authority.map(Into::into)
    }

    /// Why it was rejected or suspended; absent if nothing was said, or once it was erased.
    async fn reason(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        match &self.0.facts.reason {
            Some(reason) => unseal(ctx, reason).await,
            None => Ok(None),
        }
    }
}
