//! The one writer of a view file.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use domain::{app, event::DomainEvent, ids::AppId};
use eventstore::Recorded;
use rusqlite::{Connection, Transaction};
use tokio::sync::watch;

use crate::{
    access::Access,
    accounts, apps,
    audit::{self, About},
    categories,
    change::{Before, Change, Rows},
    checkpoint::{self, Checkpoint},
    clusters,
    content::{self, Document, Wanted},
    decisions,
    dossier::Dossier,
    dossiers::Dossiers,
    error::ViewError,
    fact::Fact,
    file, health, releases, reviews, sessions,
    storefront::{self, TextChanges},
    tenancy,
};

/// How far the views have come, and who may do what there.
#[derive(Debug, Clone)]
pub struct Progress {
    /// How many events were applied.
    pub size: u64,
    pub access: Arc<Access>,
}

pub(crate) struct Writer {
    conn: Connection,
    dossiers: Dossiers,
    rows: Rows,
    /// What the index of words lacks.
    texts: TextChanges,
    words: Words,
    /// Whether rows are written with every event, for whoever watches them change.
    one_by_one: bool,
    progress: watch::Sender<Progress>,
}

/// When words of the store go into its indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    WithTheirBatch,
    /// Once [`Writer::write_words`] is called: what was live for a while only is never written there.
    Later,
}

/// Events that follow each other, and the documents that they name.
pub(crate) struct Batch {
    facts: Vec<Fact>,
    leaf_hash: Option<[u8; 32]>,
    pub(crate) documents: Vec<Document>,
    /// Why the batch ends before all the events that were read.
    pub(crate) stopped: Option<ViewError>,
}

impl Batch {
    /// The events, as far as this program knows them; without documents.
    pub(crate) fn decode(events: &[Recorded]) -> Self {
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
        Self {
            leaf_hash: last.map(Recorded::leaf_hash),
            facts,
            documents: vec![],
            stopped,
        }
    }

    /// How many events the views have applied after it; `None` if there is none in it.
    pub(crate) fn end(&self) -> Option<u64> {
        self.facts.last().map(|last| last.position + 1)
    }

    pub(crate) fn named(&self) -> HashSet<Wanted> {
        let named = |fact: &Fact| match &fact.event {
            DomainEvent::App(event) => content::named_by(event),
            _ => None,
        };
        self.facts.iter().filter_map(named).collect()
    }
}

impl Writer {
    /// Of a file that people read.
    pub(crate) fn new(conn: Connection) -> Result<Self, ViewError> {
        Self::start(conn, Words::WithTheirBatch)
    }

    /// Of a file that nobody looks for words in before [`Writer::write_words`], and that is of no use after a failure.
    pub(crate) fn of_scratch(conn: Connection) -> Result<Self, ViewError> {
        Self::start(conn, Words::Later)
    }

    fn start(conn: Connection, words: Words) -> Result<Self, ViewError> {
        let start = Progress {
            size: checkpoint::position(&conn)?,
            access: Arc::new(Access::load(&conn)?),
        };
        Ok(Self {
            conn,
            dossiers: Dossiers::default(),
            rows: Rows::default(),
            texts: TextChanges::default(),
            words,
            one_by_one: false,
            progress: watch::Sender::new(start),
        })
    }

    pub(crate) fn position(&self) -> Result<u64, ViewError> {
        Ok(checkpoint::position(&self.conn)?)
    }

    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Has rows change in the file with the event that changes them.
    pub(crate) const fn write_one_by_one(&mut self) {
        self.one_by_one = true;
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

    /// Apps that are not in memory, with how many of their events come before the batch.
    pub(crate) fn absent_apps(&self, batch: &Batch) -> Result<Vec<(AppId, u64)>, ViewError> {
        let mut absent = HashMap::new();
        for fact in &batch.facts {
            if let DomainEvent::App(_) = &fact.event {
                let id = fact.subject()?;
                if !self.dossiers.contains(id) {
                    absent.entry(id).or_insert(fact.revision - 1);
                }
            }
        }
        absent.retain(|_, events| *events > 0);
        Ok(absent.into_iter().collect())
    }

    /// Applies a batch, its checkpoint included, or nothing of it.
    pub(crate) fn apply(&mut self, batch: &Batch, dossiers: Vec<Dossier>) -> Result<(), ViewError> {
        let applied = self.try_apply(batch, dossiers);
        if applied.is_err() {
            // They may be ahead of the file.
            self.dossiers = Dossiers::default();
            self.rows = Rows::default();
            self.texts = TextChanges::default();
        }
        applied
    }

    /// Writes the words that were left for later.
    pub(crate) fn write_words(&mut self) -> Result<(), ViewError> {
        let texts = std::mem::take(&mut self.texts);
        if texts.is_empty() {
            return Ok(());
        }
        let tx = self.conn.transaction()?;
        texts.write_all(&tx)?;
        Ok(tx.commit()?)
    }

    fn try_apply(&mut self, batch: &Batch, dossiers: Vec<Dossier>) -> Result<(), ViewError> {
        let (Some(first), Some(last), Some(leaf_hash)) = (batch.facts.first(), batch.facts.last(), batch.leaf_hash)
        else {
            return Ok(());
        };
        let tx = self.conn.transaction()?;
        checkpoint::expect(&tx, first.position)?;
        for document in &batch.documents {
            content::keep(&tx, document)?;
        }
        for dossier in dossiers {
            self.dossiers.put(dossier);
        }
        let mut states = States {
            dossiers: &mut self.dossiers,
            rows: &mut self.rows,
            texts: &mut self.texts,
        };
        for fact in &batch.facts {
            let about = apply(&tx, fact, &mut states)?;
            if self.one_by_one {
                states.rows.write(&tx)?;
            }
            audit::record(&tx, fact, &about)?;
        }
        states.rows.write(&tx)?;
        if self.words == Words::WithTheirBatch {
            std::mem::take(&mut self.texts).write(&tx)?;
        }
        let size = last.position + 1;
        Checkpoint::advance(&tx, size, leaf_hash)?;
        let before = Arc::clone(&self.progress.borrow().access);
        let access = before.after(&batch.facts, &tx)?;
        tx.commit()?;
        if batch
            .facts
            .iter()
            .any(|fact| matches!(fact.event, DomainEvent::Content(_)))
        {
            file::scrub(&self.conn);
        }
        self.dossiers.trim();
        self.progress.send_modify(|progress| {
            progress.size = size;
            if let Some(access) = access {
                progress.access = Arc::new(access);
            }
        });
        Ok(())
    }
}

/// What applying remembers from one event to the next.
struct States<'a> {
    dossiers: &'a mut Dossiers,
    rows: &'a mut Rows,
    texts: &'a mut TextChanges,
}

/// Answers with what the event is about.
fn apply(tx: &Transaction<'_>, fact: &Fact, states: &mut States<'_>) -> Result<About, ViewError> {
    let mut about = About::of(fact);
    match &fact.event {
        DomainEvent::Account(event) => accounts::apply(tx, fact, event)?,
        DomainEvent::App(event) => {
            if let Some(dossier) = apply_to_app(tx, fact, event, states)? {
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
        DomainEvent::Content(event) => {
            let content = content::apply(tx, fact, event)?;
            storefront::forget(tx, content, &mut states.rows.store, states.texts)?;
        }
        DomainEvent::Project(event) => {
            tenancy::apply_project(tx, fact, event)?;
            about.workspace = tenancy::workspace_of(tx, fact.subject()?)?;
        }
        DomainEvent::Release(event) => {
            if let Some(release) = releases::apply(tx, fact, event, &mut states.rows.releases)? {
                about = about.within_release(release);
            }
        }
        DomainEvent::Role(event) => accounts::apply_role(tx, fact, event)?,
        DomainEvent::Session(event) => sessions::apply(tx, fact, event)?,
        DomainEvent::Workspace(event) => tenancy::apply_workspace(tx, fact, event)?,
    }
    Ok(about)
}

fn apply_to_app<'a>(
    tx: &Transaction<'_>,
    fact: &Fact,
    event: &app::Event,
    states: &'a mut States<'_>,
) -> Result<Option<&'a Dossier>, ViewError> {
    let id = fact.subject()?;
    let dossier = states.dossiers.take(id);
    let before = dossier.as_ref().map(|dossier| Before::of(dossier, event));
    let Some(after) = Dossier::record(dossier, id, event, fact) else {
        return Ok(None);
    };
    let change = Change {
        fact,
        event,
        before: before.unwrap_or_default(),
        after: &after,
    };
    apps::apply(tx, &change, states.rows)?;
    reviews::apply(tx, &change, &mut states.rows.queue)?;
    decisions::record(tx, &change)?;
    storefront::apply(tx, &change, &mut states.rows.store, states.texts)?;
    Ok(Some(states.dossiers.put(after)))
}
