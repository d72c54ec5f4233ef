//! The one writer of a view file.

use std::sync::Arc;

use domain::{app, event::DomainEvent, ids::AppId};
use rusqlite::{Connection, Transaction};
use tokio::sync::watch;

use crate::{
    access::Access,
    accounts,
    audit::{self, About},
    batch::Batch,
    categories,
    checkpoint::{self, Checkpoint},
    clusters, content, decisions,
    dossier::Dossier,
    error::ViewError,
    fact::Fact,
    file,
    fold::{AppStep, Folded, Folder, LiveRows},
    health,
    moment::Changes,
    releases::{self, LatestReleases},
    reviews, sessions, sql,
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
    folder: Folder,
    live_rows: LiveRows,
    states: States,
    words: Words,
    progress: watch::Sender<Progress>,
}

/// When words of the store go into its indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    WithTheirBatch,
    /// Once [`Writer::write_words`] is called: what was live for a while only is never written there.
    Later,
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
            folder: Folder::default(),
            live_rows: LiveRows::AtTheEnd,
            states: States::default(),
            words,
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
        self.live_rows = LiveRows::OneByOne;
    }

    pub(crate) const fn live_rows(&self) -> LiveRows {
        self.live_rows
    }

    /// For whoever folds ahead of what is written, and gives it back when all that was folded is. It is not used again if that
    /// fails.
    pub(crate) fn lend_folder(&mut self) -> Folder {
        std::mem::take(&mut self.folder)
    }

    pub(crate) fn take_back(&mut self, folder: Folder) {
        self.folder = folder;
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
        self.folder.absent_apps(batch)
    }

    /// Applies a batch, its checkpoint included, or nothing of it.
    pub(crate) fn apply(&mut self, batch: Batch, dossiers: Vec<Dossier>) -> Result<(), ViewError> {
        let mut folder = self.lend_folder();
        let folded = folder.fold(batch, dossiers, self.live_rows)?;
        self.write(folded)?;
        self.take_back(folder);
        Ok(())
    }

    /// Writes a batch that was folded, its checkpoint included, or nothing of it.
    pub(crate) fn write(&mut self, folded: Folded) -> Result<(), ViewError> {
        // Should this fail, they are ahead of the file, and not used again.
        let mut states = std::mem::take(&mut self.states);
        self.write_with(&mut states, folded)?;
        self.states = states;
        Ok(())
    }

    /// Writes the words that were left for later.
    pub(crate) fn write_words(&mut self) -> Result<(), ViewError> {
        let texts = std::mem::take(&mut self.states.texts);
        if texts.is_empty() {
            return Ok(());
        }
        let tx = self.conn.transaction()?;
        texts.write_all(&tx)?;
        Ok(tx.commit()?)
    }

    fn write_with(&mut self, states: &mut States, Folded { batch, steps }: Folded) -> Result<(), ViewError> {
        let (Some(first), Some(last), Some(leaf_hash)) = (batch.facts.first(), batch.facts.last(), batch.leaf_hash)
        else {
            return Ok(());
        };
        let tx = self.conn.transaction()?;
        checkpoint::expect(&tx, first.position)?;
        for document in &batch.documents {
            content::keep(&tx, document)?;
        }
        for (fact, step) in batch.facts.iter().zip(steps) {
            let about = apply(&tx, fact, step.app, states)?;
            sql::run(&tx, step.rows)?;
            if self.live_rows == LiveRows::OneByOne {
                states.write(&tx)?;
            }
            audit::record(&tx, fact, &about)?;
        }
        states.write(&tx)?;
        if self.words == Words::WithTheirBatch {
            std::mem::take(&mut states.texts).write(&tx)?;
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
        self.progress.send_modify(|progress| {
            progress.size = size;
            if let Some(access) = access {
                progress.access = Arc::new(access);
            }
        });
        Ok(())
    }
}

/// What writing remembers from one event to the next.
#[derive(Default)]
struct States {
    store: Changes<storefront::Written>,
    releases: LatestReleases,
    /// What the index of words lacks.
    texts: TextChanges,
}

impl States {
    /// Writes the rows that changed.
    fn write(&mut self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        self.store.write(tx)?;
        self.releases.write(tx)
    }
}

/// Answers with what the event is about.
fn apply(tx: &Transaction<'_>, fact: &Fact, app: Option<AppStep>, states: &mut States) -> Result<About, ViewError> {
    let mut about = About::of(fact);
    match &fact.event {
        DomainEvent::Account(event) => accounts::apply(tx, fact, event)?,
        DomainEvent::App(event) => {
            if let Some(app) = app {
                about = about.within_app(app.workspace);
                apply_to_app(tx, fact, event, app, states)?;
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
            storefront::forget(tx, content, &mut states.store, &mut states.texts)?;
        }
        DomainEvent::Project(event) => {
            tenancy::apply_project(tx, fact, event)?;
            about.workspace = tenancy::workspace_of(tx, fact.subject()?)?;
        }
        DomainEvent::Release(event) => {
            if let Some(release) = releases::apply(tx, fact, event, &mut states.releases)? {
                about = about.within_release(release);
            }
        }
        DomainEvent::Role(event) => accounts::apply_role(tx, fact, event)?,
        DomainEvent::Session(event) => sessions::apply(tx, fact, event)?,
        DomainEvent::Workspace(event) => tenancy::apply_workspace(tx, fact, event)?,
    }
    Ok(about)
}

fn apply_to_app(
    tx: &Transaction<'_>,
    fact: &Fact,
    event: &app::Event,
    app: AppStep,
    states: &mut States,
) -> Result<(), ViewError> {
    if let Some(circumstances) = &app.decided {
        decisions::record(tx, fact, event, circumstances)?;
    }
    if let Some(turn) = app.turn {
        storefront::apply(tx, fact.mark(), turn, &mut states.store, &mut states.texts)?;
    }
    Ok(())
}
