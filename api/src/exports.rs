//! Review decisions, handed out: as CSV, JSON Lines, a batch of `CloudEvents`, or a bundle that is verified offline.
//!
//! An export is as of one size of the log. It is [prepared](Source::prepare), recorded in the log by
//! [`RecordExport`](crate::commands::RecordExport), and only then [streamed](Source::stream): decisions are read in
//! batches of bounded size, what is sealed is opened a batch at a time, and nothing is kept of what was written.
//!
//! | to understand | read |
//! |---|---|
//! | what is known of a decision | `evidence.rs` |
//! | how rows become evidence | `batches.rs` |
//! | how evidence becomes bytes | `encoder.rs`, `csv.rs` |
//! | what can be verified by somebody who trusts nobody here | `bundle.rs` |

mod batches;
pub mod bundle;
mod csv;
mod encoder;
mod evidence;
mod selection;

use bytes::Bytes;
use domain::{
    export::{Format, Selection},
    ids::ExportId,
};
use eventstore::{
    EventStore,
    transparency::{ProofFault, ProveError, PublishError, Published},
};
use futures_util::Stream;
use projections::{
    ViewError, ViewReader,
    decisions::{self, DecisionFilter, Period, ReversedPeriod},
    position,
};
use serde::{Deserialize, Serialize};

pub use self::selection::{InvalidParameter, Parameters};
use self::{batches::Batches, encoder::Encoder};
use crate::{
    content::{Content, ContentError},
    ids,
    pipe::{Abandoned, Broken, Pipe, pipe},
    vault::Vault,
};

/// What exports are made of. Nothing of it writes, so a second process beside the server has it too.
#[derive(Clone)]
pub struct Source {
    pub log: EventStore,
    pub views: ViewReader,
    pub vault: Vault,
    pub content: Content,
    pub transparency: Published,
}

/// An export that is to be recorded, and then made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    pub export: ExportId,
    pub format: Format,
    pub selection: Selection,
    /// How many events of the log it looks at.
    pub size: u64,
    /// How many decisions it holds.
    pub count: u64,
}

/// An export that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    #[serde(flatten)]
    pub prepared: Prepared,
    /// Where the log says so.
    pub position: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Also for what exists and is not for whoever asks.
    #[error("there is no such decision")]
    NoDecision,
    #[error(transparent)]
    Period(#[from] ReversedPeriod),
    #[error("a bundle holds at most {limit} decisions, and these are {count}; export a shorter period")]
    TooMany { count: u64, limit: u64 },
    #[error("the decisions could not be read")]
    Views(#[from] ViewError),
    #[error("what is sealed could not be opened")]
    Vault(#[from] eventstore::VaultError),
    #[error("a review policy could not be read")]
    Content(#[from] ContentError),
    #[error("a decision could not be written")]
    Encoding(#[from] serde_json::Error),
    #[error("the log could not be read")]
    Log(#[from] eventstore::ReadError),
    #[error("the event at position {position} is missing")]
    Missing { position: u64 },
    #[error("the log is not published")]
    Published(#[from] PublishError),
    #[error("a proof could not be made")]
    Prove(#[from] ProveError),
    #[error("the published log does not prove what is in the log")]
    Unproven(#[source] ProofFault),
    #[error("the bundle could not be written")]
    Zip(#[from] zip::result::ZipError),
    #[error("nobody takes the export any more")]
    Abandoned,
}

impl Source {
    /// What an export of these decisions would hold now. A decision that is named brings the app that it is about, for
    /// whoever asks is judged by it.
    ///
    /// # Errors
    ///
    /// [`ExportError::NoDecision`] if a decision is named that was never made, [`ExportError::Period`] if the period
    /// ends before it begins, [`ExportError::TooMany`] for a bundle.
    pub async fn prepare(&self, format: Format, selection: Selection) -> Result<Prepared, ExportError> {
        let filter = filter(&selection)?;
        let looked = self.views.read(move |view| {
            let size = position(view)?;
            let named = match filter.id {
                Some(_) => decisions::batch(view, &filter, (0, size), 1)?.pop(),
                None => None,
            };
            Ok((size, decisions::count(view, &filter)?, named))
        });
        let (size, count, named) = looked.await?;
        if format == Format::Zip && count > bundle::DECISIONS_MAX {
            let limit = bundle::DECISIONS_MAX;
            return Err(ExportError::TooMany { count, limit });
        }
        let selection = match (selection.decision, named) {
            (Some(_), Some(named)) => Selection {
                app: Some(named.app),
                ..selection
            },
            (Some(_), None) => return Err(ExportError::NoDecision),
            (None, _) => selection,
        };
        Ok(Prepared {
            export: ExportId::from_uuid(ids::fresh()),
            format,
            selection,
            size,
            count,
        })
    }

    /// The bytes of an export that was recorded, made while they are taken. If it cannot be finished, or nobody takes
    /// them for a minute, the last item is an error: what ends without one is whole.
    pub fn stream(&self, export: Export) -> impl Stream<Item = Result<Bytes, Broken>> + Send + use<> {
        let (pipe, stream) = pipe();
        let writing = self.clone().write(export, pipe);
        tokio::spawn(async {
            match writing.await {
                Ok(()) | Err(ExportError::Abandoned) => {}
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "an export broke off"),
            }
        });
        stream
    }

    async fn write(self, export: Export, mut pipe: Pipe) -> Result<(), ExportError> {
        let Prepared {
            format,
            selection,
            size,
            ..
        } = export.prepared;
        let Some(mut encoder) = Encoder::new(format, self.log.identity()) else {
            return bundle::write(self, export, pipe).await;
        };
        let filter = filter(&selection)?;
        let mut batches = Batches::read(self, filter, size);
        encoder.begin(pipe.buffer());
        while let Some(batch) = batches.next().await? {
            for evidence in &batch {
                encoder.row(evidence, pipe.buffer())?;
            }
            pipe.pass_on().await.map_err(|Abandoned| ExportError::Abandoned)?;
        }
        encoder.end(pipe.buffer());
        pipe.finish().await.map_err(|Abandoned| ExportError::Abandoned)
    }
}

fn filter(selection: &Selection) -> Result<DecisionFilter, ReversedPeriod> {
    Ok(DecisionFilter {
        id: selection.decision,
        app: selection.app,
        workspace: selection.workspace,
        decision: None,
        period: Period::new(selection.from, selection.until)?,
    })
}

/// The media type of a format.
#[must_use]
pub const fn media_type(format: Format) -> &'static str {
    match format {
        Format::Csv => "text/csv; charset=utf-8; header=present",
        Format::Jsonl => "application/x-ndjson",
        Format::Cloudevents => "application/cloudevents-batch+json; charset=utf-8",
        Format::Zip => "application/zip",
    }
}

/// What a file of a format is called at its end.
#[must_use]
pub const fn extension(format: Format) -> &'static str {
    match format {
        Format::Csv => "csv",
        Format::Jsonl => "jsonl",
        Format::Cloudevents => "cloudevents.json",
        Format::Zip => "zip",
    }
}
