//! Proof that the log was never altered.
//!
//! The leaves of the log are the leaves of one RFC 6962 Merkle tree. It is published in the formats of C2SP
//! (`tlog-tiles`, `tlog-checkpoint`, `signed-note`, `tlog-proof`), so that others' tools read it too.
//!
//! | to understand | read |
//! |---|---|
//! | how leaves and subtrees are hashed | `merkle.rs` |
//! | what an inclusion or a consistency proof is, and how it is checked | `proof.rs` |
//! | who signed how much of the log | `note.rs`, `checkpoint.rs` |
//! | the file that proves one leaf | `proof_file.rs` |
//! | how the tree is laid out in files, and proofs made from them | `tile.rs`, `folder.rs`, `prover.rs` |
//! | what can be wrong with a log, and how it is found | `verification.rs`, `verification/` |
//! | how the files come to be behind a running log | `published.rs`, `publisher.rs` |

mod checkpoint;
mod disk;
mod folder;
pub mod merkle;
mod note;
pub mod proof;
mod proof_file;
mod prover;
mod published;
mod publisher;
#[cfg(test)]
mod tests;
mod tile;
mod verification;

pub use checkpoint::{Checkpoint, MalformedCheckpoint, SignedCheckpoint, UntrustedCheckpoint};
pub use folder::TileFolder;
pub use note::{InvalidVerifierKey, MalformedNote, Note, Signer, UntrustedNote, VerifierKey};
pub use proof_file::{MalformedProofFile, ProofFault, ProofFile};
pub use prover::{ProveError, Prover};
pub use published::{PublishError, Published};
pub use tile::{MalformedBundle, NoSuchTile, TILE_WIDTH, Tile, TileKind, bundle, entries};
pub use verification::{Fault, Verified, verify_log, verify_tiles};
