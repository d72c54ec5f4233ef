//! Copies of a whole log: its events, the answers to commands and the vault, as of one moment, in one `SQLite` file.
//!
//! A copy is a log of its own schema, whatever database it was made from and is restored to, so that it can be read
//! by everything that reads a log. The keys that open its vault are not in it.

use std::fs::File;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::admission::{Entry, HeadRow, VaultRow};
use crate::append::{Answer, CommandId};
use crate::backend::{Backend, Batch, Changes, CommitError, LogSnapshot};
use crate::event::{Position, Recorded};
use crate::folders;
use crate::high_water::HighWater;
use crate::leaf::MalformedLeaf;
use crate::open::{self, OpenError};
use crate::store::EventStore;
use crate::transparency::merkle::{self, Frontier};
use crate::{postgres, sqlite};

/// Events read at once.
const EVENTS_PER_PAGE: u32 = 4_096;
/// Rows of the vault read at once.
const VAULT_ROWS_PER_PAGE: u32 = 256;

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyContents {
    /// How far the log reached when it was copied.
    pub log: HighWater,
    pub vault_keys: u64,
    pub vault_entries: u64,
}

/// An event as its row has it.
pub(crate) struct EventRow {
    pub(crate) position: Position,
    pub(crate) stream: String,
    pub(crate) revision: u64,
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) time_ms: i64,
    pub(crate) leaf_hash: merkle::Hash,
    pub(crate) leaf: Vec<u8>,
}

/// Why a log was not copied, or a copy not restored.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("{} is there already", path.display())]
    Exists { path: PathBuf },
    #[error("{log} holds something already; a copy is restored only into an empty place")]
    NotEmpty { log: String },
    #[error("a log could not be opened")]
    Open(#[from] OpenError),
    #[error("the copy ends after {found} of {expected} events")]
    Truncated { found: u64, expected: u64 },
    /// The bytes of an event, or what its row says of them, are not what was appended.
    #[error("the event at position {position} was altered")]
    Altered {
        position: Position,
        #[source]
        source: Option<MalformedLeaf>,
    },
    #[error("the events are whole, and do not add up to the root that the log had")]
    OtherRoot,
    #[error("{} could not be written", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the event database failed")]
    Database(#[from] sqlx::Error),
}

impl EventStore {
    /// Writes a copy of the log, as of one moment, to a new file at `path`. Appends go on meanwhile. The copy is durable
    /// when this returns; it was not checked.
    ///
    /// # Errors
    ///
    /// [`CopyError::Exists`] if there is a file; any other error may leave one behind that is of no use.
    pub async fn copy_to(&self, path: &Path) -> Result<(), CopyError> {
        if path.exists() {
            return Err(CopyError::Exists { path: path.to_owned() });
        }
        match self.backend() {
            Backend::Sqlite(database) => database.vacuum_into(path).await?,
            Backend::Postgres(database) => {
                let mut source = LogSnapshot::Postgres(postgres::Snapshot::of(database).await?);
                let head = source.head().await?;
                let target = sqlite::create_copy(path, &head).await?;
                transfer(&mut source, &head, Batch::Sqlite(target), &mut |_| ()).await?;
            }
        }
        make_durable(path)
    }
}

/// Checks every event of the copy at `path` against its hash, and all of them against the root. Calls `progress` with the
/// number of events that were checked.
///
/// # Errors
///
/// [`CopyError::Truncated`], [`CopyError::Altered`] or [`CopyError::OtherRoot`] if it is not what the log was.
pub async fn check_copy(path: &Path, progress: &mut (impl FnMut(u64) + Send)) -> Result<CopyContents, CopyError> {
    let mut copy = LogSnapshot::Sqlite(sqlite::Snapshot::of_copy(path).await?);
    let head = copy.head().await?;
    let mut frontier = Frontier::default();
    let mut last_leaf = merkle::Hash::default();
    while frontier.size() < head.frontier.size() {
        let rows = copy.events(Position::new(frontier.size()), EVENTS_PER_PAGE).await?;
        if rows.is_empty() {
            return Err(CopyError::Truncated {
                found: frontier.size(),
                expected: head.frontier.size(),
            });
        }
        for row in rows {
            let expected = Position::new(frontier.size());
            last_leaf = checked(expected, row)?.leaf_hash;
            frontier.append(last_leaf);
        }
        progress(frontier.size());
    }
    if frontier.root() != head.frontier.root() {
        return Err(CopyError::OtherRoot);
    }
    let (vault_keys, vault_entries) = copy.count_vault().await?;
    Ok(CopyContents {
        log: HighWater {
            identity: head.identity,
            size: frontier.size(),
            root: frontier.root(),
            last_leaf,
        },
        vault_keys,
        vault_entries,
    })
}

/// Restores the copy at `path`, which was checked, to the empty place that `url` names: a file that does not exist, or a
/// database without tables. It is there as a whole, or not at all. Calls `progress` with the number of events written.
///
/// The answers to commands come back with their events; those of commands that changed nothing are forgotten, as they
/// are after a day, unless both places are files.
///
/// # Errors
///
/// [`CopyError::NotEmpty`] if something is there.
pub async fn restore_copy(path: &Path, url: &str, progress: &mut (impl FnMut(u64) + Send)) -> Result<(), CopyError> {
    match open::place(url)? {
        open::Place::File(target) => restore_file(path, &target),
        open::Place::Server(options) => {
            let mut source = LogSnapshot::Sqlite(sqlite::Snapshot::of_copy(path).await?);
            let head = source.head().await?;
            let target = postgres::create_copy(*options, &head).await?;
            transfer(&mut source, &head, Batch::Postgres(target), progress).await
        }
    }
}

fn restore_file(path: &Path, target: &Path) -> Result<(), CopyError> {
    let beside = |suffix: &str| {
        let mut name = target.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    if [target.to_owned(), beside("-wal")].iter().any(|path| path.exists()) {
        return Err(CopyError::NotEmpty {
            log: target.display().to_string(),
        });
    }
    let draft = beside(".restoring");
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| CopyError::Io { path, source }
    };
    std::fs::copy(path, &draft).map_err(io(&draft))?;
    make_durable(&draft)?;
    std::fs::rename(&draft, target).map_err(io(target))?;
    folders::sync_entry(target).map_err(io(target))
}

fn make_durable(path: &Path) -> Result<(), CopyError> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    let synced = synced.and_then(|()| folders::sync_entry(path));
    synced.map_err(|source| CopyError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Everything from `source` into `target`, in its one transaction.
async fn transfer(
    source: &mut LogSnapshot,
    head: &HeadRow,
    mut target: Batch,
    progress: &mut (impl FnMut(u64) + Send),
) -> Result<(), CopyError> {
    let (mut next, size) = (0, head.frontier.size());
    // The events of the last command on a page: it may go on on the next one.
    let mut held_back: Vec<Entry> = Vec::new();
    while next < size {
        let rows = source.events(Position::new(next), EVENTS_PER_PAGE).await?;
        if rows.is_empty() {
            let (found, expected) = (next, size);
            return Err(CopyError::Truncated { found, expected });
        }
        let mut entries = std::mem::take(&mut held_back);
        for row in rows {
            entries.push(checked(Position::new(next), row)?);
            next += 1;
        }
        if next < size {
            held_back = entries.split_off(start_of_last_command(&entries)?);
        }
        store(&mut target, head, &entries, &[]).await?;
        progress(next - held_back.len() as u64);
    }
    transfer_vault(source, head, &mut target).await?;
    let rest = Changes {
        events: &[],
        answers: &[],
        vault: &[],
        sightings: &[],
        head,
        now: head.time.unwrap_or_default(),
    };
    Ok(target.commit(&rest).await.map_err(CommitError::into_inner)?)
}

async fn transfer_vault(source: &mut LogSnapshot, head: &HeadRow, target: &mut Batch) -> Result<(), CopyError> {
    let mut after = String::new();
    loop {
        let keys = source.vault_keys(&after, VAULT_ROWS_PER_PAGE).await?;
        let Some(last) = keys.last() else { break };
        after.clone_from(&last.subject);
        let rows: Vec<_> = keys.into_iter().map(VaultRow::Key).collect();
        store(target, head, &[], &rows).await?;
    }
    let mut after = Vec::new();
    loop {
        let rows = source.vault_entries(&after, VAULT_ROWS_PER_PAGE).await?;
        let Some(VaultRow::Entry { digest, .. }) = rows.last() else {
            return Ok(());
        };
        after = digest.to_vec();
        store(target, head, &[], &rows).await?;
    }
}

async fn store(target: &mut Batch, head: &HeadRow, events: &[Entry], vault: &[VaultRow]) -> Result<(), CopyError> {
    if events.is_empty() && vault.is_empty() {
        return Ok(());
    }
    let changes = Changes {
        events: &events.iter().collect::<Vec<_>>(),
        answers: &answers(events)?,
        vault: &vault.iter().collect::<Vec<_>>(),
        sightings: &[],
        head,
        now: head.time.unwrap_or_default(),
    };
    Ok(target.store(&changes).await?)
}

/// What each command was answered: the last event it left, and how many.
fn answers(events: &[Entry]) -> Result<Vec<(CommandId, Answer)>, CopyError> {
    let mut answers: Vec<(CommandId, Answer)> = Vec::new();
    for Entry { recorded, .. } in events {
        let Some((command, request)) = command(recorded)? else {
            continue;
        };
        match answers.last_mut() {
            Some((known, answer)) if *known == command => {
                answer.position = recorded.position;
                answer.events += 1;
            }
            _ => {
                let answer = Answer {
                    request,
                    position: recorded.position,
                    events: 1,
                };
                answers.push((command, answer));
            }
        }
    }
    Ok(answers)
}

fn start_of_last_command(entries: &[Entry]) -> Result<usize, CopyError> {
    let Some(last) = entries.last() else { return Ok(0) };
    let last = command(&last.recorded)?;
    let mut start = entries.len();
    while start > 0 && last.is_some() && command(&entries[start - 1].recorded)? == last {
        start -= 1;
    }
    Ok(start)
}

fn command(recorded: &Recorded) -> Result<Option<(CommandId, [u8; 32])>, CopyError> {
    let altered = |source| CopyError::Altered {
        position: recorded.position,
        source,
    };
    let envelope = recorded.envelope().map_err(|source| altered(Some(source)))?;
    let (Some(id), Some(mac)) = (envelope.command_id, &envelope.request_mac) else {
        return Ok(None);
    };
    let mut request = [0; 32];
    hex::decode_to_slice(mac.as_ref(), &mut request).map_err(|_| altered(None))?;
    let actor = envelope.actor.into_owned();
    Ok(Some((CommandId { actor, id }, request)))
}

/// The event of a row, if the row says the same as its leaf, and the leaf is what was hashed.
fn checked(position: Position, row: EventRow) -> Result<Entry, CopyError> {
    let altered = |source| CopyError::Altered { position, source };
    if row.position != position || merkle::leaf_hash(&row.leaf) != row.leaf_hash {
        return Err(altered(None));
    }
    let recorded = Recorded::from_leaf(position, row.leaf.into()).map_err(|source| altered(Some(source)))?;
    let says_the_same = recorded.stream.as_str() == row.stream
        && recorded.revision.get() == row.revision
        && recorded.id == row.id
        && recorded.name == row.name
        && recorded.time.timestamp_millis() == row.time_ms;
    if !says_the_same {
        return Err(altered(None));
    }
    Ok(Entry {
        recorded,
        leaf_hash: row.leaf_hash,
    })
}
