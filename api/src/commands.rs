//! The one command path: everything that changes anything goes through [`Commands::run`], the worker included.
//!
//! Find the earlier answer, authorize, load, decide, append, and once more from the start if somebody else was first.
//! Whatever a command looked at becomes a condition of its append: a stream it decided on is written under the
//! revision it saw, a stream it only read is guarded, and so are the grants that allowed it. So what was true when it
//! was decided is true when it is recorded.

mod app;
mod applied;
mod category;
mod cluster;
mod credentials;
mod erasure;
mod export;
mod health;
mod identities;
mod installable;
mod installation;
mod listing;
mod members;
mod operation;
mod platform;
mod project;
mod refusal;
mod release;
mod review;
mod review_policy;
mod roles;
mod sessions;
mod states;
mod store;
mod target;
mod tenancy;
mod values;
mod work;

use std::sync::Arc;

use domain::{
    access::Principal,
    decider::Stamp,
    ids::{AccountId, Actor},
};
use eventstore::{Answer, AppendError, CommandKey, Context, EventStore, Position, Recorded};
use projections::{Views, access::Key};
use serde::Serialize;
use uuid::Uuid;

use self::work::Finished;
pub use self::{
    app::{DeleteApp, DeleteVersion, ReplacePackage, SubmitVersion, UploadApp, UploadVersion, WithdrawVersion},
    applied::last_applied,
    category::{AssignCategory, CreateCategory, DeleteCategory, EditCategory},
    cluster::{CheckCluster, RegisterCluster, ReplaceKubeconfig, SetClusterScope},
    credentials::{
        BlockAccount, IssueToken, LinkIdentity, ResetPassword, RevokeToken, SetPassword, UnblockAccount, wrong_password,
    },
    erasure::{EraseAccount, RemoveContent},
    export::RecordExport,
    health::CheckRelease,
    identities::AdmitIdentity,
    installation::{FinishOperation, OperationResult, StartOperation},
    listing::{EditListing, ListingChanges, MaintainerInput, SetIcon, SubmitListing, WithdrawListing},
    members::{AcceptInvitation, DeclineInvitation, InviteMember, WithdrawInvitation, invitations_to},
    operation::{CancelOperation, RetryOperation, RollbackRelease, UninstallRelease},
    platform::CreateAccount,
    project::{CreateProject, FinishPreparation, PrepareProject},
    refusal::CommandError,
    release::{InstallRelease, Plan, UpgradeRelease},
    review::{
        ApproveListing, ApproveVersion, RejectListing, RejectVersion, ReleaseListingReview, ReleaseReview,
        StartListingReview, StartReview,
    },
    review_policy::SetReviewPolicy,
    roles::{DefineRole, GrantRole, RetireRole, RevokeRole},
    sessions::{CloseSession, OpenSession, RecordRefusal},
    states::{States, decoded, load, restore, stream},
    store::{PublishVersion, ResumeApp, ResumeVersion, SuspendApp, SuspendVersion},
    target::Target,
    tenancy::{CloseWorkspace, CreateWorkspace, MoveApp},
    work::{Work, holder},
};
use crate::{clock, config::Limits, content::Content, ids, keys::ServerKey, vault::Vault};

/// How often a command is decided again because somebody else was first.
const ATTEMPTS_MAX: u32 = 16;

/// One thing somebody wants done.
pub trait Command: Serialize + Sync {
    /// Tells requests of two kinds apart that hold the same values. Remembered with the command id: rename nothing.
    const NAME: &'static str;

    /// What it is about, if that is known before it is carried out: it is not for what makes something new.
    fn target(&self) -> Option<Target> {
        None
    }

    /// Looks, asks for permission and decides; what it decided is appended afterwards, all or nothing.
    fn carry_out(&self, work: &mut Work<'_>) -> impl Future<Output = Result<Target, CommandError>> + Send;
}

/// Who gives a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Giver {
    /// A signed-in account, by the key that opens it, with the id by which it may repeat the command, if it named one.
    Account {
        account: AccountId,
        key: Key,
        command: Option<Uuid>,
    },
    /// An account whose owner has just shown what opens it, and has no session yet.
    Proven { account: AccountId },
    /// Charthouse itself, or whoever holds its data folder.
    System,
    /// Charthouse itself, because of an event.
    Reaction(Cause),
}

/// The event that a command is a reaction to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    pub event: Uuid,
    /// What the event has in common with everything that its action set off.
    pub correlation: Uuid,
}

impl Cause {
    /// # Errors
    ///
    /// [`CommandError::Internal`] if the event is damaged.
    pub fn of(recorded: &Recorded) -> Result<Self, CommandError> {
        let envelope = recorded.envelope().map_err(CommandError::internal)?;
        Ok(Self {
            event: recorded.id,
            correlation: envelope.correlation_id,
        })
    }
}

impl Giver {
    /// Whether the command may have been given before: under an id that was made for it just now, it was not.
    const fn may_repeat(self) -> bool {
        matches!(self, Self::Account { command: Some(_), .. })
    }

    const fn actor(self) -> Actor {
        match self {
            Self::Account { account, .. } | Self::Proven { account } => Actor::Account(account),
            Self::System | Self::Reaction(_) => Actor::System,
        }
    }

    /// Who acts, and in which chain of causes.
    fn context(self, command: Option<CommandKey>) -> Context {
        let cause = match self {
            Self::Reaction(cause) => Some(cause),
            Self::Account { .. } | Self::Proven { .. } | Self::System => None,
        };
        Context {
            actor: self.actor().to_string(),
            command,
            correlation_id: cause.map_or_else(ids::fresh, |cause| cause.correlation),
            causation_id: cause.map(|cause| cause.event),
        }
    }
}

/// What an account may do, and the streams that say so, with the revisions at which they do.
pub(crate) struct Authority {
    principal: Arc<Principal>,
    relied_on: Vec<(String, u64)>,
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub target: Target,
    /// The last event it left, or for one that changed nothing, the last event there was.
    pub position: Position,
}

#[derive(Clone)]
pub struct Commands {
    pub(crate) log: EventStore,
    pub(crate) views: Views,
    pub(crate) content: Content,
    pub(crate) vault: Vault,
    pub(crate) key: ServerKey,
    pub(crate) limits: Arc<Limits>,
    pub(crate) states: States,
}

impl Commands {
    /// Does what `command` asks, once: the same command given again is answered as it was the first time.
    ///
    /// When this returns, what it recorded is durable, and the views show it.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; nothing was recorded, unless it says that the outcome is unknown or that the views are behind.
    pub async fn run<C: Command>(&self, giver: Giver, command: &C) -> Result<Outcome, CommandError> {
        let key = self.command_key(giver, command)?;
        if giver.may_repeat()
            && let Some(outcome) = self.earlier(giver, key, command).await?
        {
            return Ok(outcome);
        }
        for _ in 0..ATTEMPTS_MAX {
            match self.attempt(giver, key, command).await {
                Err(CommandError::Outrun) => self.catch_up().await?,
                Err(CommandError::Repeated) => {
                    // The same command was under way twice, and the other one landed.
                    return self.earlier(giver, key, command).await?.ok_or(CommandError::Contention);
                }
                // What stands in its way may be what it did itself: the same command was under way twice, the other one
                // landed, and this one was decided on what that had left.
                Err(refusal) if refusal.is_expected() && giver.may_repeat() => {
                    return self.earlier(giver, key, command).await?.ok_or(refusal);
                }
                outcome => return outcome,
            }
        }
        Err(CommandError::Contention)
    }

    /// What an upgrade would come to if `giver` gave it now. Nothing is recorded, and nothing kept.
    ///
    /// # Errors
    ///
    /// [`CommandError`], as the command itself would answer before its values are judged.
    pub async fn plan(&self, giver: Giver, upgrade: &UpgradeRelease) -> Result<Plan, CommandError> {
        let stamp = Stamp {
            by: giver.actor(),
            at: clock::now(),
        };
        let mut work = Work::new(self, self.authority(giver)?, stamp)?;
        match upgrade.plan(&mut work).await {
            Err(CommandError::Outrun) => Err(CommandError::Contention),
            outcome => outcome,
        }
    }

    async fn attempt<C: Command>(
        &self,
        giver: Giver,
        key: Option<CommandKey>,
        command: &C,
    ) -> Result<Outcome, CommandError> {
        let stamp = Stamp {
            by: giver.actor(),
            at: clock::now(),
        };
        let mut work = Work::new(self, self.authority(giver)?, stamp)?;
        let target = command.carry_out(&mut work).await?;
        let Finished {
            writes,
            guards,
            sealed,
            documents,
        } = work.finish();
        if writes.is_empty() {
            return self.nothing_changed(giver, key, target).await;
        }
        // What an event names is durable before the event is.
        for document in documents {
            self.content.keep(document).await?;
        }
        for entry in sealed {
            self.vault.keep(entry).await?;
        }
        let context = giver.context(key);
        let appended = self
            .log
            .append(eventstore::Append {
                writes,
                guards,
                context,
            })
            .await?;
        self.seen(appended.last).await?;
        Ok(Outcome {
            target,
            position: appended.last,
        })
    }

    async fn nothing_changed(
        &self,
        giver: Giver,
        key: Option<CommandKey>,
        target: Target,
    ) -> Result<Outcome, CommandError> {
        let size = self.log.head().await?.size;
        let mut position = Position::new(size.saturating_sub(1));
        if let Some(key) = key {
            let actor = giver.actor().to_string();
            position = self
                .log
                .remember_unchanged(&actor, key.id, key.request, position)
                .await?
                .position;
        }
        if size > 0 {
            // It was decided on the log: what made it unnecessary may not be in the views yet.
            self.seen(position).await?;
        }
        Ok(Outcome { target, position })
    }

    /// What this command was answered before, if it was given before.
    async fn earlier<C: Command>(
        &self,
        giver: Giver,
        key: Option<CommandKey>,
        command: &C,
    ) -> Result<Option<Outcome>, CommandError> {
        let Some(key) = key else { return Ok(None) };
        let Some(answer) = self.log.answer_to(&giver.actor().to_string(), key.id).await? else {
            return Ok(None);
        };
        if answer.request != key.request {
            return Err(CommandError::CommandReused);
        }
        self.seen(answer.position).await?;
        let target = self.target_of(answer, command).await?;
        Ok(Some(Outcome {
            target,
            position: answer.position,
        }))
    }

    /// What an earlier command was about: it says so itself, or the first event it left does.
    async fn target_of<C: Command>(&self, answer: Answer, command: &C) -> Result<Target, CommandError> {
        if let Some(target) = command.target() {
            return Ok(target);
        }
        let first = answer.position.get().saturating_sub(answer.events.saturating_sub(1));
        let events = usize::try_from(answer.events).unwrap_or(usize::MAX);
        let events = self.log.read(Position::new(first), events).await?;
        Target::left_by(&events).ok_or(CommandError::Contention)
    }

    fn authority(&self, giver: Giver) -> Result<Option<Authority>, CommandError> {
        let access = self.views.access();
        let (principal, key) = match giver {
            Giver::Account { key, .. } => (access.opened_by(key, clock::now()), Some(key)),
            Giver::Proven { account } => (access.principal(account), None),
            Giver::System | Giver::Reaction(_) => return Ok(None),
        };
        let principal = principal.ok_or(CommandError::Unauthenticated)?;
        let mut relied_on = access.relied_on(principal.account);
        relied_on.extend(key.and_then(|key| access.key_relied_on(key)));
        Ok(Some(Authority { principal, relied_on }))
    }

    fn command_key<C: Command>(&self, giver: Giver, command: &C) -> Result<Option<CommandKey>, CommandError> {
        let Giver::Account { command: id, .. } = giver else {
            return Ok(None);
        };
        let canonical = serde_json_canonicalizer::to_vec(&(C::NAME, command)).map_err(CommandError::internal)?;
        Ok(Some(CommandKey {
            id: id.unwrap_or_else(ids::fresh),
            request: self.key.of_request(&canonical),
        }))
    }

    async fn catch_up(&self) -> Result<(), CommandError> {
        let size = self.log.head().await?.size;
        tokio::time::timeout(self.limits.read_wait, self.views.reached(size))
            .await
            .map_err(|_| CommandError::ViewsBehind)?;
        Ok(())
    }

    async fn seen(&self, position: Position) -> Result<(), CommandError> {
        let wait = self.views.reached(position.next().get());
        // What is recorded stays recorded: a view that lags makes the answer late, and then wrong to give.
        tokio::time::timeout(self.limits.read_wait, wait)
            .await
            .map_err(|_| CommandError::ViewsBehind)
    }
}

impl From<AppendError> for CommandError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict { .. } => Self::Outrun,
            AppendError::AlreadyDone(_) => Self::Repeated,
            AppendError::CommandReused => Self::CommandReused,
            AppendError::OutcomeUnknown(cause) => {
                tracing::error!(
                    error = &cause as &dyn std::error::Error,
                    "the outcome of an append is unknown"
                );
                Self::OutcomeUnknown
            }
            AppendError::Unavailable(cause) => {
                tracing::warn!(error = &cause as &dyn std::error::Error, "the log is out of reach");
                Self::Unavailable
            }
            AppendError::ClockJumped { ahead_seconds } => Self::ClockJumped { ahead_seconds },
            AppendError::LeafTooLarge { bytes, limit } => Self::TooLarge { bytes, limit },
            error => Self::internal(error),
        }
    }
}
