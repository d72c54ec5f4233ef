//! A data folder as it lies there: for commands that only read, beside a running server or without one.

use std::{collections::BTreeMap, error::Error, io::IsTerminal as _, path::Path};

use domain::digest::Sealed;
use eventstore::{Blobs, EventStore, Mode, Position};
use projections::Progress;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};

use crate::{config::DataFolder, master_keys::MasterKeys, vault::Vault};

/// How long nothing is said of work that goes on.
const TELL_INTERVAL: std::time::Duration = std::time::Duration::from_millis(200);

pub struct Offline {
    pub log: EventStore,
    pub blobs: Blobs,
    /// `None` if its key is not here: then sealed text stays sealed.
    pub vault: Option<Vault>,
    /// For what is folded from the log; deleted with this.
    pub scratch: TempDir,
}

/// How sealed text reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    Text(String),
    /// Its key was destroyed.
    Erased,
    /// There is no key here to open it with.
    Sealed,
}

impl Opened {
    /// For people.
    pub fn words(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Erased => "(erased)".to_owned(),
            Self::Sealed => "(sealed)".to_owned(),
        }
    }
}

impl Offline {
    pub async fn open(data: &DataFolder) -> Result<Self, Box<dyn Error>> {
        let log = EventStore::open(&data.log_url(), Mode::ReadOnly).await?;
        let scratch = tempfile::tempdir()?;
        // Opening makes what is missing; a folder that is only read gets nothing new.
        let blobs = match data.blobs().exists() {
            true => Blobs::open(&data.blobs())?,
            false => Blobs::open(&scratch.path().join("blobs"))?,
        };
        let master_keys = MasterKeys::find(data.master_key())?;
        let vault = match master_keys.file().is_none_or(Path::exists) {
            true => Some(Vault::new(eventstore::Vault::open(&log, master_keys.ring()?).await?)),
            false => None,
        };
        Ok(Self {
            log,
            blobs,
            vault,
            scratch,
        })
    }

    /// When the event at `position` happened.
    pub async fn time_of(&self, position: u64) -> Result<Option<String>, Box<dyn Error>> {
        let event = self.log.read(Position::new(position), 1).await?;
        let time = event.first().map(|event| event.time);
        Ok(time.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)))
    }

    pub async fn unseal(&self, sealed: &Sealed) -> Result<Opened, Box<dyn Error>> {
        let Some(vault) = &self.vault else {
            return Ok(Opened::Sealed);
        };
        Ok(match vault.unseal(sealed).await? {
            Some(bytes) => Opened::Text(String::from_utf8_lossy(&bytes).into_owned()),
            None => Opened::Erased,
        })
    }

    /// Opens all that is sealed in `values`.
    pub async fn open_all<'a>(&self, values: impl Iterator<Item = &'a Value>) -> Result<OpenedTexts, Box<dyn Error>> {
        let mut opened = OpenedTexts::default();
        let mut left: Vec<_> = values.collect();
        while let Some(value) = left.pop() {
            match (sealed(value), value) {
                (Some(sealed), _) if !opened.0.contains_key(&sealed.digest.to_string()) => {
                    let text = self.unseal(&sealed).await?;
                    opened.0.insert(sealed.digest.to_string(), text);
                }
                (None, Value::Object(members)) => left.extend(members.values()),
                (None, Value::Array(items)) => left.extend(items),
                _ => {}
            }
        }
        Ok(opened)
    }
}

/// Sealed text that was opened, by the digest that the log names it by.
#[derive(Debug, Default)]
pub struct OpenedTexts(BTreeMap<String, Opened>);

impl OpenedTexts {
    pub fn of(&self, value: &Value) -> Option<&Opened> {
        sealed(value).and_then(|sealed| self.0.get(&sealed.digest.to_string()))
    }

    /// The value with `text` beside the names of what is sealed in it; `null` there says that it was erased.
    pub fn within(&self, value: &Value) -> Value {
        match (self.of(value), value) {
            (Some(Opened::Text(text)), _) => with_text(value, Value::from(text.as_str())),
            (Some(Opened::Erased), _) => with_text(value, Value::Null),
            (_, Value::Object(members)) => members.iter().map(|(k, v)| (k.clone(), self.within(v))).collect(),
            (_, Value::Array(items)) => items.iter().map(|item| self.within(item)).collect(),
            (_, value) => value.clone(),
        }
    }
}

fn with_text(sealed: &Value, text: Value) -> Value {
    let mut sealed = sealed.clone();
    if let Some(members) = sealed.as_object_mut() {
        members.insert("text".to_owned(), text);
    }
    sealed
}

/// What names sealed text in an event.
fn sealed(value: &Value) -> Option<Sealed> {
    let is_one = value.as_object().is_some_and(|members| members.len() == 2);
    is_one.then(|| serde_json::from_value(value.clone()).ok()).flatten()
}

/// Tells on a terminal how far a fold of the log has come, until it is dropped.
pub struct Telling(JoinHandle<()>);

impl Telling {
    pub fn of(mut progress: watch::Receiver<Progress>, of: u64) -> Option<Self> {
        std::io::stderr().is_terminal().then(|| {
            Self(tokio::spawn(async move {
                loop {
                    tokio::time::sleep(TELL_INTERVAL).await;
                    tell(progress.borrow_and_update().size, of);
                    if progress.changed().await.is_err() {
                        return;
                    }
                }
            }))
        })
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.0.abort();
        eprint!("\r\x1b[K");
    }
}

/// One line on a terminal, in place of the one before.
pub fn tell(events: u64, of: u64) {
    eprint!("\r\x1b[K{events} of {of} events");
}
