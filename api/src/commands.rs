//! The one command path: everything that changes anything goes through [`Commands::run`], the worker included.
//!
//! Find the earlier answer, authorize, load, decide, append, and once more from the start if somebody else was first.
//! Whatever a command looked at becomes a condition of its append: a stream it decided on is written under the
//! revision it saw, a stream it only read is guarded, and so are the grants that allowed it. So what was true when it
//! was decided is true when it is recorded.

mod app;
mod category;
mod installation;
mod listing;
mod platform;
mod refusal;
mod release;
mod review;
mod store;
mod target;
mod work;

use std::{sync::Arc, time::Duration};

use domain::{
    access::Principal,
    decider::Stamp,
    ids::{AccountId, Actor},
};
use eventstore::{Answer, AppendError, CommandKey, Context, EventStore, Position};
use projections::Views;
use serde::Serialize;
use uuid::Uuid;

use self::work::Finished;
pub use self::{
    app::{DeleteApp, DeleteVersion, ReplacePackage, SubmitVersion, UploadApp, UploadVersion, WithdrawVersion},
    category::{AssignCategory, CreateCategory, DeleteCategory, EditCategory},
    installation::{FinishOperation, OperationResult, StartOperation},
    listing::{EditListing, ListingChanges, MaintainerInput, SetIcon, SubmitListing, WithdrawListing},
    platform::{
        CreateAccount, CreateProject, CreateWorkspace, DefineRole, GrantRole, IssueToken, RegisterCluster, RevokeRole,
        RevokeToken,
    },
    refusal::CommandError,
    release::{InstallRelease, UninstallRelease, UpgradeRelease},
    review::{
        ApproveListing, ApproveVersion, RejectListing, RejectVersion, ReleaseListingReview, ReleaseReview,
        StartListingReview, StartReview,
    },
    store::{PublishVersion, ResumeApp, ResumeVersion, SuspendApp, SuspendVersion},
    target::Target,
    work::{Work, holder, load},
};
use crate::{clock, config::Limits, content::Content, ids, keys::ServerKey, vault::Vault};

/// How often a command is decided again because somebody else was first.
const ATTEMPTS_MAX: u32 = 16;
/// How long a command that lost waits for the view to show what beat it.
const CATCH_UP_MAX: Duration = Duration::from_secs(5);

/// One thing somebody wants done.
pub trait Command: Serialize + Sync {
    /// Tells requests of two kinds apart that hold the same values. Remembered with the command id: rename nothing.
    const NAME: &'static str;

    /// Looks, asks for permission and decides; what it decided is appended afterwards, all or nothing.
    fn carry_out(&self, work: &mut Work<'_>) -> impl Future<Output = Result<Target, CommandError>> + Send;
}

/// Who gives a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Giver {
    /// A signed-in account, with the id by which it may repeat the command.
    Account { account: AccountId, command: Uuid },
    /// Charthouse itself, or whoever holds its data folder.
    System,
}

impl Giver {
    const fn actor(self) -> Actor {
        match self {
            Self::Account { account, .. } => Actor::Account(account),
            Self::System => Actor::System,
        }
    }
}

/// What an account may do, and the streams that say so, with the revisions at which they do.
pub(crate) struct Authority {
    principal: Principal,
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
}

impl Commands {
    /// Does what `command` asks, once: the same command given again is answered as it was the first time.
    ///
    /// When this returns, what it recorded is durable, and the views show it.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; nothing was recorded, unless it says that the outcome is unknown.
    pub async fn run<C: Command>(&self, giver: Giver, command: &C) -> Result<Outcome, CommandError> {
        let key = self.command_key(giver, command)?;
        if let Some(outcome) = self.earlier(giver, key, command).await? {
            return Ok(outcome);
        }
        for _ in 1..ATTEMPTS_MAX {
            match self.attempt(giver, key, command).await {
                Err(CommandError::Outrun) => self.catch_up().await?,
                Err(CommandError::Repeated) => {
                    // The same command was under way twice, and the other one landed.
                    return self.earlier(giver, key, command).await?.ok_or(CommandError::Contention);
                }
                outcome => return outcome,
            }
        }
        Err(CommandError::Contention)
    }

    async fn attempt<C: Command>(
        &self,
        giver: Giver,
        key: Option<CommandKey>,
        command: &C,
    ) -> Result<Outcome, CommandError> {
        let mut work = Work::new(
            self,
            self.authority(giver)?,
            Stamp {
                by: giver.actor(),
                at: clock::now(),
            },
        );
        let target = command.carry_out(&mut work).await?;
        let Finished { writes, guards, sealed } = work.finish();
        if writes.is_empty() {
            return self.nothing_changed(giver, key, target).await;
        }
        for entry in sealed {
            self.vault.keep(entry).await?;
        }
        let context = Context {
            actor: giver.actor().to_string(),
            command: key,
            correlation_id: ids::fresh(),
            causation_id: None,
        };
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
        let target = self.target_of(giver, answer, command).await?;
        Ok(Some(Outcome {
            target,
            position: answer.position,
        }))
    }

    /// What an earlier command was about: the first event it left says so. One that left none is decided again, which
    /// records nothing, to find out.
    async fn target_of<C: Command>(&self, giver: Giver, answer: Answer, command: &C) -> Result<Target, CommandError> {
        let Some(before) = answer.events.checked_sub(1) else {
            let mut work = Work::new(
                self,
                self.authority(giver)?,
                Stamp {
                    by: giver.actor(),
                    at: clock::now(),
                },
            );
            return command.carry_out(&mut work).await;
        };
        let first = Position::new(answer.position.get().saturating_sub(before));
        let events = self
            .log
            .read(first, usize::try_from(answer.events).unwrap_or(usize::MAX))
            .await?;
        Target::left_by(&events).ok_or(CommandError::Contention)
    }

    fn authority(&self, giver: Giver) -> Result<Option<Authority>, CommandError> {
        let Giver::Account { account, .. } = giver else {
            return Ok(None);
        };
        let access = self.views.access();
        let principal = access.principal(account).ok_or(CommandError::Unauthenticated)?;
        let relied_on = access.relied_on(account);
        Ok(Some(Authority { principal, relied_on }))
    }

    fn command_key<C: Command>(&self, giver: Giver, command: &C) -> Result<Option<CommandKey>, CommandError> {
        let Giver::Account { command: id, .. } = giver else {
            return Ok(None);
        };
        let canonical = serde_json_canonicalizer::to_vec(&(C::NAME, command)).map_err(CommandError::internal)?;
        Ok(Some(CommandKey {
            id,
            request: self.key.of_request(&canonical),
        }))
    }

    async fn catch_up(&self) -> Result<(), CommandError> {
        let size = self.log.head().await?.size;
        tokio::time::timeout(CATCH_UP_MAX, self.views.reached(size))
            .await
            .map_err(|_| CommandError::ViewsBehind)?;
        Ok(())
    }

    async fn seen(&self, position: Position) -> Result<(), CommandError> {
        let wait = self.views.reached(position.next().get());
        // What is recorded stays recorded: a view that lags makes the answer late, and then wrong to give.
        tokio::time::timeout(CATCH_UP_MAX, wait)
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
            AppendError::LeafTooLarge { bytes, limit } => Self::TooLarge { bytes, limit },
            error => Self::internal(error),
        }
    }
}
