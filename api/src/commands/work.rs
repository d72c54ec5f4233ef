//! One attempt at a command: what it has looked at, and what it has decided so far.

use std::{any::Any, collections::HashMap, fmt::Display, sync::Arc};

use domain::{
    access::{AppVisibility, Denied, Place, Principal, StageVisibility},
    account::{Account, Scope},
    app::{self, App, Panel},
    content::{self, Content},
    decider::{Decider, Stamp},
    digest::{Digest, Sealed},
    event::{SCHEMA, StoredEvent},
    ids::{AccountId, Actor, AppId, WorkspaceId},
    name::{self, Claim, Name},
    permission::Permission,
    workspace::Workspace,
};
use eventstore::{Guard, NewEvent, Revision, StreamName, Write};
use serde::Serialize;

use super::{Authority, CommandError, Commands, states::stream};
use crate::{content::Document, ids, vault::Pending};

pub struct Work<'a> {
    pub commands: &'a Commands,
    pub stamp: Stamp,
    /// `None` for Charthouse itself, which needs no permission.
    principal: Option<Arc<Principal>>,
    streams: HashMap<StreamName, Stream>,
    /// In the order in which they were first decided on.
    written: Vec<StreamName>,
    /// What the events name that is not in the vault yet: nothing is kept for a command that is refused.
    sealed: Vec<Pending>,
    /// The same for documents.
    documents: Vec<Document>,
}

/// What an attempt came to.
pub(super) struct Finished {
    pub(super) writes: Vec<Write>,
    /// What must still hold for them.
    pub(super) guards: Vec<Guard>,
    /// What has to be in the vault before them.
    pub(super) sealed: Vec<Pending>,
    /// What has to be among the blobs before them.
    pub(super) documents: Vec<Document>,
}

struct Stream {
    revision: Revision,
    /// The aggregate's state, with what was decided in this attempt.
    state: Arc<dyn Any + Send + Sync>,
    events: Vec<NewEvent>,
}

impl<'a> Work<'a> {
    pub(super) fn new(commands: &'a Commands, giver: Option<Authority>, stamp: Stamp) -> Result<Self, CommandError> {
        let mut streams = HashMap::new();
        let (principal, relied_on) = giver.map_or((None, vec![]), |giver| (Some(giver.principal), giver.relied_on));
        for (stream, revision) in relied_on {
            // A revocation that lands first moves one of these streams, and the append is refused.
            let guard = Stream {
                revision: Revision::new(revision),
                state: Arc::new(()),
                events: vec![],
            };
            streams.insert(stream.parse().map_err(CommandError::internal)?, guard);
        }
        Ok(Self {
            commands,
            stamp,
            principal,
            streams,
            written: vec![],
            sealed: vec![],
            documents: vec![],
        })
    }

    pub fn account(&self) -> Result<AccountId, CommandError> {
        match self.stamp.by {
            Actor::Account(account) => Ok(account),
            Actor::System => Err(CommandError::Unauthenticated),
        }
    }

    /// `None` for Charthouse itself, which needs no permission.
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_deref()
    }

    pub fn may(&self, permission: Permission, place: Place) -> bool {
        self.principal
            .as_ref()
            .is_none_or(|principal| principal.may(permission, place))
    }

    pub fn authorize(&self, permission: Permission, place: Place) -> Result<(), Denied> {
        self.principal
            .as_ref()
            .map_or(Ok(()), |principal| principal.authorize(permission, place))
    }

    /// Whether the account itself acts, and not only a token that is narrowed to permissions.
    pub fn own_affairs(&self) -> Result<(), CommandError> {
        let principal = self.principal.as_ref();
        principal.map_or(Ok(()), |principal| {
            principal.own_affairs().map_err(CommandError::rejected)
        })
    }

    /// The state of an aggregate, which must not change until this attempt is recorded.
    pub async fn load<D>(&mut self, key: impl Display) -> Result<D::State, CommandError>
    where
        D: Decider,
        D::Event: StoredEvent,
        D::State: Clone + Send + Sync + 'static,
    {
        self.look::<D>(key).await.map(Arc::unwrap_or_clone)
    }

    /// The same, to be looked at only: a state may be large.
    pub async fn look<D>(&mut self, key: impl Display) -> Result<Arc<D::State>, CommandError>
    where
        D: Decider,
        D::Event: StoredEvent,
        D::State: Clone + Send + Sync + 'static,
    {
        let stream = stream::<D>(key)?;
        if let Some(known) = self.streams.get(&stream)
            && let Ok(state) = Arc::clone(&known.state).downcast::<D::State>()
        {
            return Ok(state);
        }
        let Commands { log, states, .. } = self.commands;
        let (state, revision) = states.read::<D>(log, &stream).await?;
        if self
            .streams
            .get(&stream)
            .is_some_and(|relied_on| relied_on.revision != revision)
        {
            return Err(CommandError::Outrun); // the grants have changed since they were read
        }
        let loaded = Stream {
            revision,
            state: Arc::<D::State>::clone(&state),
            events: vec![],
        };
        self.streams.insert(stream, loaded);
        Ok(state)
    }

    /// Decides `command` on the aggregate's state and keeps what follows for the append.
    pub async fn decide<D>(
        &mut self,
        key: impl Display + Copy,
        command: D::Command,
    ) -> Result<Vec<D::Event>, CommandError>
    where
        D: Decider,
        D::Event: StoredEvent,
        D::State: Clone + Send + Sync + 'static,
    {
        let state = self.look::<D>(key).await?;
        let events = D::decide(&state, command, self.stamp).map_err(CommandError::rejected)?;
        if events.is_empty() {
            return Ok(events);
        }
        let (name, mut state) = (stream::<D>(key)?, Arc::unwrap_or_clone(state));
        for event in &events {
            let stored = event.store().map_err(CommandError::internal)?;
            state = D::evolve(state, event, self.stamp);
            if let Some(stream) = self.streams.get_mut(&name) {
                let new = NewEvent {
                    id: ids::fresh(),
                    name: stored.name,
                    schema: SCHEMA,
                    data: stored.data,
                };
                stream.events.push(new);
            }
        }
        if let Some(stream) = self.streams.get_mut(&name) {
            stream.state = Arc::new(state);
        }
        if !self.written.contains(&name) {
            self.written.push(name);
        }
        Ok(events)
    }

    /// Takes a unique name for the stream `holder`.
    pub async fn take_name(&mut self, claim: &Claim, holder: &str) -> Result<(), CommandError> {
        let take = name::Command::Take {
            holder: holder.to_owned(),
        };
        self.decide::<Name>(claim.stream_key().as_str(), take).await.map(drop)
    }

    /// Gives a unique name back, if `holder` has it.
    pub async fn release_name(&mut self, claim: &Claim, holder: &str) -> Result<(), CommandError> {
        let release = name::Command::Release {
            holder: holder.to_owned(),
        };
        self.decide::<Name>(claim.stream_key().as_str(), release)
            .await
            .map(drop)
    }

    /// An app the giver may know of. One of another tenant is as one that does not exist.
    pub async fn visible_app(&mut self, id: AppId) -> Result<App, CommandError> {
        let app = self.look::<App>(id).await?;
        self.visible(app.as_ref().as_ref()).cloned()
    }

    /// The same of one that was looked at.
    pub fn visible<'b>(&self, app: Option<&'b App>) -> Result<&'b App, CommandError> {
        let sees = |app: &App| {
            self.principal
                .as_ref()
                .is_none_or(|principal| principal.sees_app(&app.visibility()))
        };
        app.filter(|app| sees(app)).ok_or(CommandError::NotFound("app"))
    }

    /// Asks for the permission `command` needs, and decides it on an app the giver may know of.
    pub async fn decide_on_app(&mut self, id: AppId, command: app::Command) -> Result<Vec<app::Event>, CommandError> {
        let app = self.look::<App>(id).await?;
        let app = self.visible(app.as_ref().as_ref())?;
        let permission = command.permission();
        self.authorize(permission, Place::of(permission, app.workspace))?;
        let command = match permission {
            Permission::ReviewStart | Permission::ReviewApprove | Permission::ReviewReject => {
                command.given_by(self.panel(app)?)
            }
            _ => command,
        };
        self.decide::<App>(id, command).await
    }

    /// What an app does not remember of reviewers: the giver's roles, and whose claims ended with their rights. That
    /// somebody has no rights any more must hold until this attempt is recorded.
    fn panel(&mut self, app: &App) -> Result<Panel, CommandError> {
        let panel = self.principal().map_or_else(Panel::default, Panel::of);
        let access = self.commands.views.access();
        let panel = panel.without(app, |reviewer| access.may(reviewer, Permission::ReviewStart));
        for reviewer in &panel.dismissed {
            self.rely_on(*reviewer)?;
        }
        Ok(panel)
    }

    pub fn sees_version(&self, app: &AppVisibility, stage: StageVisibility) -> bool {
        self.principal
            .as_ref()
            .is_none_or(|principal| principal.sees_version(app, stage))
    }

    /// Whether the giver may know that the workspace exists.
    pub fn visible_workspace(&self, workspace: WorkspaceId) -> Result<(), CommandError> {
        if self.may(Permission::WorkspaceView, Place::Workspace(workspace)) {
            Ok(())
        } else {
            Err(CommandError::NotFound("workspace"))
        }
    }

    /// The workspace, which is there and stays open until this attempt is recorded.
    pub async fn open_workspace(&mut self, id: WorkspaceId) -> Result<Workspace, CommandError> {
        let workspace = self.load::<Workspace>(id).await?;
        workspace
            .filter(|workspace| !workspace.closed)
            .ok_or(CommandError::NotFound("workspace"))
    }

    /// Whether the giver may know of a place: its members, and of a workspace whoever manages them all.
    pub fn sees_place(&self, scope: Scope, place: Place) -> bool {
        let is_member = |principal: &Principal| principal.grants.iter().any(|grant| grant.scope == scope);
        let may_view = match place {
            Place::Platform => true,
            Place::Workspace(_) => {
                self.may(Permission::WorkspaceView, place) || self.may(Permission::WorkspaceManage, Place::Platform)
            }
            Place::Project { workspace, .. } => {
                self.may(Permission::ReleaseView, place)
                    || self.may(Permission::WorkspaceView, Place::Workspace(workspace))
            }
        };
        may_view || self.principal().is_some_and(is_member)
    }

    /// Whether the giver may know whose account it is. Any other is as one that does not exist.
    pub fn visible_account(&self, account: AccountId) -> Result<(), CommandError> {
        let Some(principal) = &self.principal else {
            return Ok(());
        };
        let other = self.commands.views.access().principal(account);
        // Whoever was erased holds nothing any more, and so is nobody's fellow.
        if other.map_or_else(|| principal.oversees_accounts(), |other| principal.knows(&other)) {
            Ok(())
        } else {
            Err(CommandError::NotFound("account"))
        }
    }

    /// What another account may do, which must not change until this attempt is recorded.
    pub fn rely_on(&mut self, account: AccountId) -> Result<Option<Arc<Principal>>, CommandError> {
        let access = self.commands.views.access();
        for (stream, revision) in access.relied_on(account) {
            let stream = stream.parse().map_err(CommandError::internal)?;
            let revision = Revision::new(revision);
            let seen = self.streams.entry(stream).or_insert_with(|| Stream {
                revision,
                state: Arc::new(()),
                events: vec![],
            });
            if seen.revision != revision {
                return Err(CommandError::Outrun);
            }
        }
        Ok(access.principal(account))
    }

    /// Makes sure that content which an event is to name was not removed, and is not before the event is recorded.
    pub async fn name_content(&mut self, digest: Digest) -> Result<(), CommandError> {
        let name = content::Command::Name { digest };
        self.decide::<Content>(Content::key(digest).as_str(), name)
            .await
            .map(drop)
    }

    /// The digest of a document. It is among the blobs when the events are recorded.
    pub async fn document(&mut self, document: &impl Serialize) -> Result<Digest, CommandError> {
        let document = Document::new(document)?;
        let digest = document.digest;
        self.name_content(digest).await?;
        self.documents.push(document);
        Ok(digest)
    }

    /// Encrypts text that must be erasable, under the key of `subject`. It is in the vault when the events are recorded.
    pub async fn seal(&mut self, subject: &str, text: &str) -> Result<Sealed, CommandError> {
        let pending = self.commands.vault.encrypt(subject, text).await?;
        let sealed = pending.sealed.clone();
        self.sealed.push(pending);
        Ok(sealed)
    }

    /// Encrypts what somebody wrote under their own key, so that it is erased with them; what Charthouse itself or
    /// whoever holds its data folder says, under the key of `otherwise`.
    pub async fn seal_words(&mut self, otherwise: String, text: &str) -> Result<Sealed, CommandError> {
        let subject = match self.stamp.by {
            Actor::Account(account) => holder::<Account>(account),
            Actor::System => otherwise,
        };
        self.seal(&subject, text).await
    }

    pub(super) fn finish(mut self) -> Finished {
        let mut writes = Vec::with_capacity(self.written.len());
        for stream in std::mem::take(&mut self.written) {
            if let Some(Stream { revision, events, .. }) = self.streams.remove(&stream) {
                writes.push(Write {
                    stream,
                    expected: revision,
                    events,
                });
            }
        }
        let guards = std::mem::take(&mut self.streams)
            .into_iter()
            .map(|(stream, seen)| Guard {
                stream,
                revision: seen.revision,
            });
        Finished {
            writes,
            guards: guards.collect(),
            sealed: self.sealed,
            documents: self.documents,
        }
    }
}

/// The holder of a name, as name streams record it.
#[must_use]
pub fn holder<D: Decider>(key: impl Display) -> String {
    format!("{}-{key}", D::CATEGORY)
}
