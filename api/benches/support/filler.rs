//! Writes a data folder without the commands that would have left it: as fast as the log takes events.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use domain::{
    account,
    digest::{Digest, Sealed},
    event::{SCHEMA, StoredEvent},
    ids::{AccountId, Actor, TokenId},
    review_policy::ReviewPolicy,
};
use eventstore::{Append, Blobs, Context, EventStore, Key, MasterKey, Mode, NewEvent, Revision, Vault, Write};
use serde::Serialize;
use uuid::Uuid;

pub(crate) struct Filler {
    store: EventStore,
    vault: Vault,
    blobs: Blobs,
    drawn: AtomicU64,
}

impl Filler {
    /// Makes the folder, with the keys that a server will want to find there.
    pub(crate) async fn open(data: &Path) -> Self {
        std::fs::create_dir_all(data.join("keys")).unwrap();
        let url = format!("sqlite://{}", data.join("log.db").display());
        let store = EventStore::open(&url, Mode::Append).await.unwrap();
        let master = MasterKey::from_file(&data.join("keys/master.key")).unwrap();
        Key::from_file(&data.join("keys/server.key")).unwrap();
        Self {
            vault: Vault::open(&store, master).await.unwrap(),
            blobs: Blobs::open(&data.join("blobs")).unwrap(),
            // Ids that no event of an earlier time has.
            drawn: AtomicU64::new(store.head().await.unwrap().size),
            store,
        }
    }

    pub(crate) async fn close(self) {
        self.store.close().await;
    }

    /// Keeps a document as its canonical JSON.
    pub(crate) async fn document(&self, document: &impl Serialize) -> Digest {
        let canonical = serde_json_canonicalizer::to_vec(document).unwrap();
        let digest = self.blobs.put(canonical.into()).await.unwrap();
        Digest::from_bytes(*digest.as_bytes())
    }

    /// The digest of the policy that is in force where none was set.
    pub(crate) async fn policy(&self) -> Digest {
        self.document(&ReviewPolicy::default()).await
    }

    pub(crate) async fn seal(&self, subject: &str, text: &str) -> Sealed {
        let sealed = self.vault.seal(subject, text.as_bytes()).await.unwrap();
        Sealed {
            subject: sealed.subject,
            digest: Digest::from_bytes(*sealed.digest.as_bytes()),
        }
    }

    /// An account that holds `grants`, and signs in with `token` if there is one.
    pub(crate) async fn account(&self, n: u128, grants: &[(&str, account::Scope)], token: Option<&str>) {
        let stream = format!("account-{}", id(n));
        let name = self.seal(&stream, &format!("Person Number {n}")).await;
        let mut events = vec![account::Event::AccountCreated { name }];
        events.extend(grants.iter().map(|(role, scope)| account::Event::RoleGranted {
            role: role.parse().unwrap(),
            scope: *scope,
        }));
        events.extend(token.map(|token| account::Event::TokenIssued {
            token: TokenId::from_uuid(id(n)),
            secret: Digest::from_bytes(*eventstore::Digest::of(token.as_bytes()).as_bytes()),
            name: None,
            permissions: None,
            expires: None,
        }));
        self.append(None, &stream, events).await;
    }

    /// The first events of a stream.
    pub(crate) async fn append(&self, by: Option<u128>, stream: &str, events: Vec<impl StoredEvent>) {
        self.append_at(0, by, stream, events).await;
    }

    /// The events of a stream behind its first `revision`, caused by an account, or by Charthouse itself.
    pub(crate) async fn append_at(&self, revision: u64, by: Option<u128>, stream: &str, events: Vec<impl StoredEvent>) {
        let count = events.len() as u64;
        let drawn = u128::from(self.drawn.fetch_add(count, Ordering::Relaxed));
        let stored = events.into_iter().zip(0..).map(|(event, n)| {
            let stored = event.store().unwrap();
            NewEvent {
                id: id(1 << 100 | (drawn + n)),
                name: stored.name,
                schema: SCHEMA,
                data: stored.data,
            }
        });
        let write = Write {
            stream: stream.parse().unwrap(),
            expected: Revision::new(revision),
            events: stored.collect(),
        };
        let by = by.map_or(Actor::System, |by| Actor::Account(AccountId::from_uuid(id(by))));
        let append = Append {
            writes: vec![write],
            guards: vec![],
            context: Context {
                actor: by.to_string(),
                command: None,
                correlation_id: id(2 << 100 | drawn),
                causation_id: None,
            },
        };
        self.store.append(append).await.unwrap();
    }
}

pub(crate) fn id(n: u128) -> Uuid {
    // A version and a variant make it an id like others.
    uuid::Builder::from_custom_bytes(n.to_be_bytes()).into_uuid()
}

/// Of content that nobody will look at.
pub(crate) fn digest(n: u128) -> Digest {
    Digest::from_bytes(*eventstore::Digest::of(&n.to_be_bytes()).as_bytes())
}
