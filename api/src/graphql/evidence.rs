//! Proof that the log was never altered, to be checked with `charthouse verify` or with anybody's own tools.

use async_graphql::{Context, Object, SimpleObject};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use eventstore::{Recorded, transparency::SignedCheckpoint};
use projections::audit;

use super::{
    audit::{AuditEntry, is_in_trail_of},
    error::Result,
    scalars::LogPosition,
    viewer::{read, services, viewer},
};

#[derive(Default)]
pub struct EvidenceQuery;

#[Object]
impl EvidenceQuery {
    /// How much of the log is signed.
    async fn checkpoint(&self, ctx: &Context<'_>) -> Result<Checkpoint> {
        viewer(ctx)?;
        Ok(Checkpoint::of(&services(ctx).transparency.checkpoint()?))
    }

    /// Proof that an event stands in the log, in a file that `charthouse verify proof` checks; null for an event that
    /// is not in the viewer's audit trail. Waits for a moment if the event is too new to be signed.
    #[graphql(complexity = "20")]
    async fn inclusion_proof(&self, ctx: &Context<'_>, position: LogPosition) -> Result<Option<InclusionProof>> {
        let viewer = viewer(ctx)?;
        let row = read(ctx, move |view| audit::entry(view, position.0)).await?;
        match row.filter(|row| is_in_trail_of(viewer, row)) {
            Some(row) => AuditEntry(row).inclusion_proof(ctx).await.map(Some),
            None => Ok(None),
        }
    }

    /// Proof that the first `from` events of the log are the beginning of its first `to` events.
    #[graphql(complexity = "20")]
    async fn consistency_proof(
        &self,
        ctx: &Context<'_>,
        from: LogPosition,
        to: LogPosition,
    ) -> Result<ConsistencyProof> {
        viewer(ctx)?;
        let hashes = services(ctx).transparency.consistency(from.0, to.0).await?;
        Ok(ConsistencyProof {
            from,
            to,
            hashes: hashes.iter().map(|hash| STANDARD.encode(hash)).collect(),
        })
    }
}

impl InclusionProof {
    /// Proof that `event` stands in the log. Waits for a moment if it is too new to be signed.
    pub(super) async fn of(ctx: &Context<'_>, event: &Recorded) -> Result<Self> {
        let file = services(ctx).transparency.prove(event).await?;
        Ok(Self {
            position: LogPosition(file.index),
            checkpoint: Checkpoint::of(&file.checkpoint),
            file: file.to_string(),
        })
    }
}

/// The signed head of the log's Merkle tree.
#[derive(SimpleObject)]
pub struct Checkpoint {
    /// Which log, and which epoch of it.
    origin: String,
    /// How many events it covers.
    size: LogPosition,
    /// The root of the RFC 6962 tree over that many events, in base64.
    root: String,
    /// The checkpoint as a signed note (C2SP `tlog-checkpoint`): what `charthouse verify --since` remembers.
    note: String,
}

impl Checkpoint {
    fn of(signed: &SignedCheckpoint) -> Self {
        let head = signed.checkpoint();
        Self {
            origin: head.origin.clone(),
            size: LogPosition(head.size),
            root: STANDARD.encode(head.root),
            note: signed.to_string(),
        }
    }
}

/// Proof that one event stands in the log.
#[derive(SimpleObject)]
pub struct InclusionProof {
    /// Where the event stands.
    position: LogPosition,
    /// The checkpoint that the proof leads to.
    checkpoint: Checkpoint,
    /// A `.tlog-proof` file (C2SP `tlog-proof`) with the event's own bytes and no other's.
    file: String,
}

/// Proof that the log only grew.
#[derive(SimpleObject)]
pub struct ConsistencyProof {
    /// How many events the log had.
    from: LogPosition,
    /// How many events it has.
    to: LogPosition,
    /// The proof of RFC 9162, section 2.1.4: SHA-256 hashes in base64.
    hashes: Vec<String>,
}
