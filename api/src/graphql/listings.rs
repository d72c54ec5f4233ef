//! Listings: the words and pictures of an app, as published or as drafted.

use async_graphql::{ComplexObject, Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{digest::Digest, ids::AppId, listing};
use projections::apps;
use uuid::Uuid;

use super::{
    accounts::Account,
    error::{ApiError, Result},
    limits::make_room,
    removals::ContentRemoval,
    review_policy::{StageProgress, progress},
    scalars::Sha256,
    viewer::services,
};
use crate::markdown;

pub struct Listing {
    pub app: AppId,
    pub digest: Digest,
}

/// The words and pictures of an app, known by their digest: another digest is another listing.
#[Object]
impl Listing {
    /// The SHA-256 of its canonical JSON: what a reviewer approves.
    async fn digest(&self) -> Sha256 {
        Sha256(self.digest)
    }

    /// Set if its text was taken away for good.
    async fn removal(&self, ctx: &Context<'_>) -> Result<Option<ContentRemoval>> {
        ContentRemoval::of(ctx, self.digest).await
    }

    /// What it says; absent if it was removed for good.
    async fn content(&self, ctx: &Context<'_>) -> Result<Option<ListingContent>> {
        let document = services(ctx).content.listing(self.digest).await?;
        Ok(document.map(|document| ListingContent::new(self, document)))
    }
}

/// What a listing says.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ListingContent {
    /// The name people read.
    display_name: String,
    /// One or two sentences.
    summary: String,
    #[graphql(skip)]
    description: String,
    /// Where the software lives.
    home: Option<String>,
    /// Words to find it by.
    keywords: Vec<String>,
    /// Who keeps it.
    maintainers: Vec<Maintainer>,
    /// Where its source is.
    sources: Vec<String>,
    /// Its licence, as an SPDX expression where the author used one.
    licence: Option<String>,
    /// Path of the icon on this server; needs the same token.
    icon_path: Option<String>,
    /// Paths of the screenshots on this server; they need the same token.
    screenshot_paths: Vec<String>,
}

#[ComplexObject]
impl ListingContent {
    /// Markdown, as it was written.
    async fn description(&self, ctx: &Context<'_>) -> Result<&str> {
        make_room(ctx, self.description.len())?;
        Ok(&self.description)
    }

    /// The description as HTML, sanitised: no scripts, no styles, no frames, no images.
    #[graphql(complexity = 100)]
    async fn description_html(&self, ctx: &Context<'_>) -> Result<String> {
        html(ctx, self.description.clone()).await
    }
}

/// Markdown as HTML, rendered where that holds up nobody.
pub async fn html(ctx: &Context<'_>, markdown: String) -> Result<String> {
    let rendered = tokio::task::spawn_blocking(move || markdown::to_html(&markdown)).await;
    let html = rendered.map_err(|error| ApiError::internal(&error))?;
    make_room(ctx, html.len())?;
    Ok(html)
}

impl ListingContent {
    fn new(of: &Listing, document: listing::Listing) -> Self {
        let listing::Listing { screenshots, icon, .. } = &document;
        let path = |what: &str| format!("/apps/{}/{what}?listing={}", of.app, of.digest);
        Self {
            icon_path: icon.map(|_| path("icon")),
            screenshot_paths: (1..=screenshots.len())
                .map(|n| path(&format!("screenshots/{n}")))
                .collect(),
            display_name: document.display_name,
            summary: document.summary,
            description: document.description,
            home: document.home,
            keywords: document.keywords,
            maintainers: document.maintainers.into_iter().map(Into::into).collect(),
            sources: document.sources,
            licence: document.licence,
        }
    }
}

/// Who keeps an app or a chart.
#[derive(SimpleObject)]
pub struct Maintainer {
    /// A person's or a team's name.
    pub name: String,
    /// Where to write.
    pub email: Option<String>,
    /// Where to read more.
    pub url: Option<String>,
}

impl Maintainer {
    pub fn bytes(&self) -> usize {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        self.name.len() + optional(&self.email) + optional(&self.url)
    }
}

impl From<listing::Maintainer> for Maintainer {
    fn from(maintainer: listing::Maintainer) -> Self {
        let listing::Maintainer { name, email, url } = maintainer;
        Self { name, email, url }
    }
}

pub struct ListingReview {
    pub app: AppId,
    pub review: apps::ListingReview,
}

/// The review of a listing that was submitted without a version.
#[Object]
impl ListingReview {
    /// What a decision has to name.
    async fn submission(&self) -> Uuid {
        self.review.submission.as_uuid()
    }

    /// The listing to be reviewed, frozen when it was submitted.
    async fn listing(&self) -> Listing {
        Listing {
            app: self.app,
            digest: self.review.listing,
        }
    }

    /// The stages of the policy it was submitted under, and how far it has come.
    async fn stages(&self) -> Vec<StageProgress> {
        progress(self.app, &self.review.review)
    }

    /// Who reviews it; absent while it waits.
    async fn reviewer(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        Account::of_app(ctx, self.app, self.review.claim.map(|claim| claim.reviewer)).await
    }

    /// When it was submitted.
    async fn submitted_at(&self) -> Option<DateTime<Utc>> {
        self.review.submitted.map(|mark| mark.at)
    }
}
