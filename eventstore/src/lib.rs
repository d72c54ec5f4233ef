//! An append-only event log with one total order, and what belongs beside it: subscriptions,
//! content-addressed blobs, a vault for what must be erasable, and a Merkle tree over the log.
//!
//! The crate knows nothing of any domain. It stores whatever has a type name and a JSON object.
//!
//! | to understand | read |
//! |---|---|
//! | what an event is, byte by byte | `leaf.rs`, `event.rs` |
//! | when an append is stored and when it is refused | `append.rs`, `admission.rs` |
//! | how appends become durable together | `writer.rs` |
//! | how a log is copied and restored | `copy.rs` |
//! | what happens to a log restored from a backup | `high_water.rs`, `restoration.rs` |
//! | what a database must offer to hold a log | `backend.rs`, `sqlite.rs`, `postgres.rs` |

mod admission;
mod append;
mod backend;
mod blobs;
mod clock;
mod copy;
mod digest;
mod event;
pub mod folders;
mod high_water;
mod key;
mod leaf;
mod master_key;
mod open;
mod postgres;
mod published_files;
mod recent;
mod restoration;
mod rows;
mod sighting;
mod spare;
mod sqlite;
mod store;
mod stream_name;
mod subscription;
pub mod transparency;
mod vault;
mod writer;

pub use append::{Answer, Append, AppendError, Appended, CommandKey, Context, Guard, InvalidAppend, NewEvent, Write};
pub use blobs::{BlobEntry, BlobError, Blobs};
pub use clock::{Clock, SystemClock};
pub use copy::{CopyContents, CopyError, check_copy, restore_copy};
pub use digest::{Digest, InvalidDigest};
pub use event::{Envelope, Position, Recorded, Revision};
pub use high_water::{HighWater, MalformedHighWater};
pub use key::{Key, KeyError};
pub use leaf::{LEAF_BYTES_MAX, MalformedLeaf};
pub use master_key::{Keyring, MasterKey};
pub use open::{Mode, OpenError, OpenOptions};
pub use published_files::{PublishedFile, PublishedFiles};
pub use sighting::Sighting;
pub use store::{EventStore, Head, Identity, ReadError};
pub use stream_name::{InvalidStreamName, StreamName};
pub use subscription::Subscription;
pub use vault::{PendingEntry, Sealed, Vault, VaultError};
