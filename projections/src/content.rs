//! Published text that views show: listings and what was read from charts, once per digest.
//!
//! The log names these documents; their bytes are blobs. A blob that was removed is content that is gone: what would
//! be shown of it is left out, and everything else stays.

use domain::{app::Event, digest::Digest, listing::Listing};
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as JsonValue};

use crate::{
    error::ViewError,
    sql::{self, Json, values},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE listing (
    digest       BLOB NOT NULL PRIMARY KEY,
    display_name TEXT NOT NULL,
    summary      TEXT NOT NULL,
    keywords     TEXT NOT NULL,
    icon         BLOB,
    document     TEXT NOT NULL
);
CREATE TABLE chart (
    digest      BLOB NOT NULL PRIMARY KEY,
    app_version TEXT,
    metadata    TEXT NOT NULL,
    readme      TEXT
);
";

/// What was read from a chart archive, as far as lists and the search need it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Chart {
    pub metadata: ChartMetadata,
    #[serde(default)]
    pub readme: Option<String>,
}

/// `Chart.yaml` as JSON, with all its fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChartMetadata(Map<String, JsonValue>);

impl ChartMetadata {
    #[must_use]
    pub const fn fields(&self) -> &Map<String, JsonValue> {
        &self.0
    }

    /// The version of what the chart installs.
    #[must_use]
    pub fn app_version(&self) -> Option<&str> {
        self.0.get("appVersion").and_then(JsonValue::as_str)
    }
}

/// A document that the log names.
#[derive(Debug)]
pub(crate) enum Document {
    Listing(Digest, Box<Listing>),
    Chart(Digest, Chart),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    Listing(Digest),
    Chart(Digest),
}

impl Wanted {
    pub(crate) const fn digest(self) -> Digest {
        match self {
            Self::Listing(digest) | Self::Chart(digest) => digest,
        }
    }

    pub(crate) fn read(self, bytes: &[u8]) -> serde_json::Result<Document> {
        Ok(match self {
            Self::Listing(digest) => Document::Listing(digest, serde_json::from_slice(bytes)?),
            Self::Chart(digest) => Document::Chart(digest, serde_json::from_slice(bytes)?),
        })
    }

    pub(crate) fn is_kept(self, conn: &Connection) -> rusqlite::Result<bool> {
        let sql = match self {
            Self::Listing(_) => "SELECT 1 FROM listing WHERE digest = ?",
            Self::Chart(_) => "SELECT 1 FROM chart WHERE digest = ?",
        };
        Ok(sql::first(conn, sql, values![self.digest()], |_| Ok(()))?.is_some())
    }
}

/// The document that an event brings up, if it does.
pub(crate) const fn named_by(event: &Event) -> Option<Wanted> {
    match event {
        Event::AppUploaded { listing, .. }
        | Event::ListingEdited { listing }
        | Event::IconSet { listing, .. }
        | Event::PublishedToStore { listing, .. }
        | Event::ListingSubmitted { listing, .. }
        | Event::ListingApproved { listing, .. } => Some(Wanted::Listing(*listing)),
        Event::VersionUploaded { package, .. } | Event::PackageReplaced { package, .. } => {
            Some(Wanted::Chart(package.chart))
        }
        Event::CategoryAssigned { .. }
        | Event::VersionSubmitted { .. }
        | Event::VersionWithdrawn { .. }
        | Event::ReviewStarted { .. }
        | Event::ReviewReleased { .. }
        | Event::VersionApproved { .. }
        | Event::VersionRejected { .. }
        | Event::ListingWithdrawn { .. }
        | Event::ListingReviewStarted { .. }
        | Event::ListingReviewReleased { .. }
        | Event::ListingRejected { .. }
        | Event::Suspended { .. }
        | Event::Resumed { .. }
        | Event::VersionDeleted { .. }
        | Event::AppDeleted {} => None,
    }
}

/// The listing with this digest, unless it was removed.
pub fn listing(conn: &Connection, digest: &Digest) -> Result<Option<Listing>, ViewError> {
    Ok(sql::first(
        conn,
        "SELECT document FROM listing WHERE digest = ?",
        values![*digest],
        sql::json,
    )?)
}

/// The chart with this digest, unless it was removed.
pub fn chart(conn: &Connection, digest: &Digest) -> Result<Option<Chart>, ViewError> {
    let sql = "SELECT metadata, readme FROM chart WHERE digest = ?";
    let chart = sql::first(conn, sql, values![*digest], |c| {
        Ok(Chart {
            metadata: c.json()?,
            readme: c.take()?,
        })
    })?;
    Ok(chart)
}

pub(crate) fn keep(tx: &Transaction<'_>, document: &Document) -> rusqlite::Result<()> {
    match document {
        Document::Listing(digest, listing) => keep_listing(tx, *digest, listing),
        Document::Chart(digest, chart) => keep_chart(tx, *digest, chart),
    }
}

fn keep_listing(tx: &Transaction<'_>, digest: Digest, listing: &Listing) -> rusqlite::Result<()> {
    let (name, summary, keywords) = (&listing.display_name, &listing.summary, Json(&listing.keywords));
    let values = values![digest, name, summary, keywords, listing.icon, Json(listing)];
    sql::execute(tx, "INSERT OR IGNORE INTO listing VALUES (?, ?, ?, ?, ?, ?)", values).map(drop)
}

fn keep_chart(tx: &Transaction<'_>, digest: Digest, chart: &Chart) -> rusqlite::Result<()> {
    let app_version = chart.metadata.app_version().map(str::to_owned);
    let values = values![digest, app_version, Json(&chart.metadata), chart.readme];
    sql::execute(tx, "INSERT OR IGNORE INTO chart VALUES (?, ?, ?, ?)", values).map(drop)
}
