//! The one writer of a view file.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use domain::{app, event::DomainEvent, ids::AppId, workspace};
use eventstore::Recorded;
use rusqlite::{Connection, Transaction};
use tokio::sync::watch;

use crate::{
    access::Access,
    accounts, apps,
    audit::{self, About},
    categories,
    checkpoint::{self, Checkpoint},
    clusters,
    content::{self, Document, Wanted},
    decisions,
    dossier::{Change, Dossier},
    error::ViewError,
    fact::Fact,
    file, health, releases, reviews, sessions,
    storefront::{self, TextChanges},
    tenancy,
};

/// Apps whose dossiers stay in memory. Those of others are read from their streams when something happens to them.
const DOSSIERS_MAX: usize = 20_000;

/// How far the views have come, and who may do what there.
#[derive(Debug, Clone)]
pub struct Progress {
    /// How many events were applied.
    pub size: u64,
    pub access: Arc<Access>,
}

pub(crate) struct Writer {
    conn: Connection,
    dossiers: HashMap<AppId, Dossier>,
    progress: watch::Sender<Progress>,
}

/// A batch, and what must be fetched before it can be applied.
pub(crate) struct Plan {
    facts: Vec<Fact>,
    leaf_hash: Option<[u8; 32]>,
    pub(crate) documents: Vec<Wanted>,
    /// Apps that are not in memory, with how many of their events come before the batch.
    pub(crate) apps: Vec<(AppId, u64)>,
    /// Why the batch ends before all the events that were read.
    pub(crate) stopped: Option<ViewError>,
}

#[derive(Default)]
pub(crate) struct Supplies {
    pub(crate) documents: Vec<Document>,
    pub(crate) dossiers: Vec<Dossier>,
}

impl Writer {
    pub(crate) fn new(conn: Connection) -> Result<Self, ViewError> {
        let start = Progress {
            size: checkpoint::position(&conn)?,
            access: Arc::new(Access::load(&conn)?),
        };
        Ok(Self {
            conn,
            dossiers: HashMap::new(),
            progress: watch::Sender::new(start),
        })
    }

    pub(crate) fn position(&self) -> Result<u64, ViewError> {
        Ok(checkpoint::position(&self.conn)?)
    }

    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// For what is to be noted while events are applied.
    pub(crate) const fn connection(&self) -> &Connection {
        &self.conn
    }

    /// Puts `successor`, which has come as far, in the place of this one, and tells whoever watches this one.
    pub(crate) fn give_way_to(&mut self, mut successor: Self) {
        let progress = successor.progress.borrow().clone();
        std::mem::swap(&mut self.progress, &mut successor.progress);
        *self = successor;
        self.progress.send_replace(progress);
    }

    pub(crate) fn plan(&mut self, events: &[Recorded]) -> Result<Plan, ViewError> {
        let mut facts = Vec::with_capacity(events.len());
        let mut stopped = None;
        for event in events {
            match Fact::decode(event) {
                Ok(fact) => facts.push(fact),
                Err(error) => {
                    stopped = Some(error);
                    break;
                }
            }
        }
        let last = facts.len().checked_sub(1).and_then(|last| events.get(last));
        if self.dossiers.len() > DOSSIERS_MAX {
            self.dossiers.clear();
        }
        Ok(Plan {
            leaf_hash: last.map(Recorded::leaf_hash),
            documents: self.unknown_documents(&facts)?,
            apps: self.absent_apps(&facts)?,
            facts,
            stopped,
        })
    }

    fn unknown_documents(&self, facts: &[Fact]) -> Result<Vec<Wanted>, ViewError> {
        let mut unknown = HashSet::new();
        for fact in facts {
            if let DomainEvent::App(event) = &fact.event
                && let Some(document) = content::named_by(event)
                && !unknown.contains(&document)
                && !document.is_kept(&self.conn)?
            {
                unknown.insert(document);
            }
        }
        Ok(unknown.into_iter().collect())
    }

    fn absent_apps(&self, facts: &[Fact]) -> Result<Vec<(AppId, u64)>, ViewError> {
        let mut absent = HashMap::new();
        for fact in facts {
            if let DomainEvent::App(_) = &fact.event {
                let id = fact.subject()?;
                if !self.dossiers.contains_key(&id) {
                    absent.entry(id).or_insert(fact.revision - 1);
                }
            }
        }
        absent.retain(|_, events| *events > 0);
        Ok(absent.into_iter().collect())
    }

    /// Applies a batch, its checkpoint included, or nothing of it.
    pub(crate) fn apply(&mut self, plan: &Plan, supplies: Supplies) -> Result<(), ViewError> {
        let applied = self.try_apply(plan, supplies);
        if applied.is_err() {
            self.dossiers.clear(); // they may be ahead of the file
        }
        applied
    }

    fn try_apply(&mut self, plan: &Plan, supplies: Supplies) -> Result<(), ViewError> {
        let (Some(first), Some(last), Some(leaf_hash)) = (plan.facts.first(), plan.facts.last(), plan.leaf_hash) else {
            return Ok(());
        };
        let tx = self.conn.transaction()?;
        checkpoint::expect(&tx, first.position)?;
        for document in &supplies.documents {
            content::keep(&tx, document)?;
        }
        self.dossiers
            .extend(supplies.dossiers.into_iter().map(|dossier| (dossier.id, dossier)));
        let mut texts = TextChanges::default();
        for fact in &plan.facts {
            apply(&tx, fact, &mut self.dossiers, &mut texts)?;
        }
        texts.write(&tx)?;
        let size = last.position + 1;
        Checkpoint::advance(&tx, size, leaf_hash)?;
        let access = plan
            .facts
            .iter()
            .any(changes_access)
            .then(|| Access::load(&tx))
            .transpose()?;
        tx.commit()?;
        if plan
            .facts
            .iter()
            .any(|fact| matches!(fact.event, DomainEvent::Content(_)))
        {
            file::scrub(&self.conn);
        }
        self.progress.send_modify(|progress| {
            progress.size = size;
            if let Some(access) = access {
                progress.access = Arc::new(access);
            }
        });
        Ok(())
    }
}

const fn changes_access(fact: &Fact) -> bool {
    match fact.event {
        DomainEvent::Account(_)
        | DomainEvent::Role(_)
        | DomainEvent::Session(_)
        | DomainEvent::Project(_)
        | DomainEvent::Workspace(workspace::Event::WorkspaceClosed {}) => true,
        DomainEvent::App(_)
        | DomainEvent::Category(_)
        | DomainEvent::Cluster(_)
        | DomainEvent::Export(_)
        | DomainEvent::Content(_)
        | DomainEvent::Health(_)
        | DomainEvent::Invitation(_)
        | DomainEvent::Log(_)
        | DomainEvent::Name(_)
        | DomainEvent::Policy(_)
        | DomainEvent::Refusal(_)
        | DomainEvent::Release(_)
        | DomainEvent::Workspace(_) => false,
    }
}

fn apply(
    tx: &Transaction<'_>,
    fact: &Fact,
    dossiers: &mut HashMap<AppId, Dossier>,
    texts: &mut TextChanges,
) -> Result<(), ViewError> {
    let mut about = About::of(fact);
    match &fact.event {
        DomainEvent::Account(event) => accounts::apply(tx, fact, event)?,
        DomainEvent::App(event) => {
            if let Some(dossier) = apply_to_app(tx, fact, event, dossiers, texts)? {
                about = about.within_app(dossier);
            }
        }
        DomainEvent::Category(event) => categories::apply(tx, fact, event)?,
        DomainEvent::Cluster(event) => clusters::apply(tx, fact, event)?,
        DomainEvent::Health(event) => health::apply(tx, fact, event)?,
        DomainEvent::Invitation(event) => accounts::apply_invitation(tx, fact, event)?,
        // What has a name says so itself; exports, refusals, and that a log was restored, are for the audit trail alone.
        DomainEvent::Name(_) | DomainEvent::Export(_) | DomainEvent::Log(_) | DomainEvent::Refusal(_) => {}
        DomainEvent::Policy(event) => reviews::apply_policy(tx, fact, event)?,
        DomainEvent::Content(event) => texts.forget(content::apply(tx, fact, event)?),
        DomainEvent::Project(event) => {
            tenancy::apply_project(tx, fact, event)?;
            about.workspace = tenancy::workspace_of(tx, fact.subject()?)?;
        }
        DomainEvent::Release(event) => {
            if let Some(release) = releases::apply(tx, fact, event)? {
                about = about.within_release(&release);
            }
        }
        DomainEvent::Role(event) => accounts::apply_role(tx, fact, event)?,
        DomainEvent::Session(event) => sessions::apply(tx, fact, event)?,
        DomainEvent::Workspace(event) => tenancy::apply_workspace(tx, fact, event)?,
    }
    Ok(audit::record(tx, fact, &about)?)
}

fn apply_to_app<'a>(
    tx: &Transaction<'_>,
    fact: &Fact,
    event: &app::Event,
    dossiers: &'a mut HashMap<AppId, Dossier>,
    texts: &mut TextChanges,
) -> Result<Option<&'a Dossier>, ViewError> {
    let id = fact.subject()?;
    let before = dossiers.remove(&id);
    let Some(after) = Dossier::record(before.clone(), id, event, fact) else {
        return Ok(None);
    };
    let change = Change {
        fact,
        event,
        before: before.as_ref(),
        after: &after,
    };
    apps::apply(tx, &change)?;
    reviews::apply(tx, &change)?;
    decisions::record(tx, &change)?;
    storefront::apply(tx, &change, texts)?;
    Ok(Some(dossiers.entry(id).or_insert(after)))
}
