//! Published text that views show: listings and what was read from charts, once per digest.
//!
//! The log names these documents; their bytes are blobs. A blob that was removed is content that is gone: what would
//! be shown of it is left out, and everything else stays.

use std::collections::HashMap;

use domain::{
    app::Event,
    content,
    digest::{Digest, Sealed},
    listing::Listing,
};
use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as JsonValue};

use crate::{
    error::ViewError,
    fact::Fact,
    lookup::{self, Lookup},
    moment::Mark,
    search::maintainer_token,
    sql::{self, Columns, Json, values},
};

pub(crate) const SCHEMA: &str = "
CREATE TABLE listing (
    digest       BLOB NOT NULL PRIMARY KEY,
    display_name TEXT NOT NULL,
    summary      TEXT NOT NULL,
    keywords     TEXT NOT NULL,
    icon         BLOB,
    maintainers  TEXT NOT NULL,
    document     TEXT NOT NULL
);
CREATE TABLE chart (
    digest      BLOB NOT NULL PRIMARY KEY,
    app_version TEXT,
    metadata    TEXT NOT NULL,
    readme      TEXT
);
CREATE TABLE removed_content (
    digest   BLOB NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    by       BLOB,
    reason   TEXT
) WITHOUT ROWID;
";

/// When and why bytes were taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    pub digest: Digest,
    pub mark: Mark,
    pub reason: Option<Sealed>,
}

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

impl Document {
    const fn digest(&self) -> Digest {
        match self {
            Self::Listing(digest, _) | Self::Chart(digest, _) => *digest,
        }
    }
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
        | Event::ApprovalGiven { .. }
        | Event::ListingApprovalGiven { .. }
        | Event::AppMoved { .. }
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

/// Why there are no bytes with this digest, if they were removed.
pub fn removal(conn: &Connection, digest: &Digest) -> Result<Option<Removal>, ViewError> {
    let sql = "SELECT digest, position, at, by, reason FROM removed_content WHERE digest = ?";
    Ok(sql::first(conn, sql, values![*digest], Removal::read)?)
}

impl Lookup for Digest {
    type Row = Removal;

    fn find(conn: &Connection, digests: &[Self]) -> Result<HashMap<Self, Removal>, ViewError> {
        let select = "SELECT digest, position, at, by, reason FROM removed_content WHERE digest";
        lookup::by_id(conn, select, digests, Removal::read, |removal| removal.digest)
    }
}

/// Everything that was removed.
pub fn removed(conn: &Connection) -> Result<Vec<Digest>, ViewError> {
    let sql = "SELECT digest FROM removed_content ORDER BY position";
    Ok(sql::rows(conn, sql, vec![], sql::value)?)
}

/// The position and the time of the last removal.
pub(crate) fn last_removal(conn: &Connection) -> Result<Option<Mark>, ViewError> {
    let sql = "SELECT digest, position, at, by, reason FROM removed_content ORDER BY position DESC LIMIT 1";
    Ok(sql::first(conn, sql, vec![], Removal::read)?.map(|removal| removal.mark))
}

/// The charts that were read from this archive, wherever it was uploaded.
pub fn charts_of_package(conn: &Connection, package: &Digest) -> Result<Vec<Digest>, ViewError> {
    let sql = "SELECT chart FROM version WHERE json_extract(row, '$.package.digest') = ?1
               UNION SELECT chart FROM version_history WHERE json_extract(row, '$.package.digest') = ?1";
    Ok(sql::rows(conn, sql, values![package.to_string()], sql::value)?)
}

/// Removes the text that was kept of it. What the index has of it is the caller's to take away.
pub(crate) fn apply(tx: &Transaction<'_>, fact: &Fact, event: &content::Event) -> rusqlite::Result<Digest> {
    let content::Event::ContentRemoved { digest, reason } = event;
    let Mark { position, at, by } = fact.mark();
    let values = values![*digest, position, at, by, *reason];
    sql::execute(
        tx,
        "INSERT OR REPLACE INTO removed_content VALUES (?, ?, ?, ?, ?)",
        values,
    )?;
    for table in ["listing", "chart"] {
        let delete = format!("DELETE FROM {table} WHERE digest = ?");
        sql::execute(tx, &delete, values![*digest])?;
    }
    Ok(*digest)
}

impl Removal {
    fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            digest: columns.take()?,
            mark: Mark {
                position: columns.take()?,
                at: columns.take()?,
                by: columns.take()?,
            },
            reason: columns.take()?,
        })
    }
}

/// Keeps a document, unless it was removed: whenever its bytes were read, it does not come back.
pub(crate) fn keep(tx: &Transaction<'_>, document: &Document) -> rusqlite::Result<()> {
    let sql = "SELECT 1 FROM removed_content WHERE digest = ?";
    if sql::first(tx, sql, values![document.digest()], |_| Ok(()))?.is_some() {
        return Ok(());
    }
    match document {
        Document::Listing(digest, listing) => keep_listing(tx, *digest, listing),
        Document::Chart(digest, chart) => keep_chart(tx, *digest, chart),
    }
}

fn keep_listing(tx: &Transaction<'_>, digest: Digest, listing: &Listing) -> rusqlite::Result<()> {
    let (name, summary, keywords) = (&listing.display_name, &listing.summary, Json(&listing.keywords));
    let maintainers: Vec<_> = listing
        .maintainers
        .iter()
        .map(|it| maintainer_token(&it.name))
        .collect();
    let maintainers = maintainers.join(" ");
    let values = values![
        digest,
        name,
        summary,
        keywords,
        listing.icon,
        maintainers,
        Json(listing)
    ];
    sql::execute(tx, "INSERT OR IGNORE INTO listing VALUES (?, ?, ?, ?, ?, ?, ?)", values).map(drop)
}

fn keep_chart(tx: &Transaction<'_>, digest: Digest, chart: &Chart) -> rusqlite::Result<()> {
    let app_version = chart.metadata.app_version().map(str::to_owned);
    let values = values![digest, app_version, Json(&chart.metadata), chart.readme];
    sql::execute(tx, "INSERT OR IGNORE INTO chart VALUES (?, ?, ?, ?)", values).map(drop)
}
