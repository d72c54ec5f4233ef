//! The store: what is published and not suspended.

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};
use domain::{access::Place, permission::Permission};
use projections::storefront::{self, Shelf};

use super::{
    NodeId,
    apps::App,
    categories::Category,
    error::Result,
    page::{self, Connected},
    versions::Version,
    viewer::{read, viewer},
};

#[derive(Default)]
pub struct StoreQuery;

#[Object]
impl StoreQuery {
    /// The store, the newest publication first. `search` looks in names, summaries, keywords and READMEs; its last word
    /// may be the beginning of one.
    #[graphql(complexity = "first.unwrap_or(20) as usize * child_complexity + 1")]
    async fn store(
        &self,
        ctx: &Context<'_>,
        search: Option<String>,
        #[graphql(desc = "Only what is on this shelf.")] category: Option<ID>,
        #[graphql(desc = "Only what is on no shelf.", default)] uncategorised: bool,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<StoreEntry>> {
        viewer(ctx)?.authorize(Permission::StoreView, Place::Platform)?;
        let (is_first, request) = (after.is_none(), page::request(first, after)?);
        let shelf = match (category.as_ref().map(|id| NodeId::parse(id)), uncategorised) {
            (Some(Some(NodeId::Category(category))), _) => Shelf::Category(category),
            // A shelf that does not exist holds nothing.
            (Some(_), _) => return Ok(Connected::new(false, false)),
            (None, true) => Shelf::Uncategorised,
            (None, false) => Shelf::Any,
        };
        let entries = read(ctx, move |view| match search.filter(|text| !text.trim().is_empty()) {
            Some(text) => storefront::search(view, &text, shelf, &request),
            None => storefront::entries(view, shelf, &request),
        });
        Ok(page::connection(entries.await?, is_first, StoreEntry))
    }
}

/// An app as the store shows it.
pub struct StoreEntry(pub storefront::Entry);

#[Object]
impl StoreEntry {
    /// The app.
    async fn app(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        App::load(ctx, self.0.app).await
    }

    /// The chart's name: what `helm pull` and `helm install` call it.
    async fn chart_name(&self) -> &str {
        self.0.chart.as_str()
    }

    /// The name people read; the chart's if the listing was removed.
    async fn display_name(&self) -> &str {
        self.0
            .card
            .as_ref()
            .map_or(self.0.chart.as_str(), |card| card.display_name.as_str())
    }

    /// One or two sentences.
    async fn summary(&self) -> Option<&str> {
        self.0.card.as_ref().map(|card| card.summary.as_str())
    }

    /// Words to find it by.
    async fn keywords(&self) -> &[String] {
        self.0.card.as_ref().map_or(&[], |card| card.keywords.as_slice())
    }

    /// Path of the icon on this server; needs the same token.
    async fn icon_path(&self) -> Option<String> {
        let icon = self.0.card.as_ref().and_then(|card| card.icon);
        icon.map(|_| format!("/apps/{}/icon?listing={}", self.0.app, self.0.listing))
    }

    /// The shelf it is on; absent for the uncategorised.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        match self.0.category {
            Some(id) => Category::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The version the store offers first.
    async fn latest_version(&self, ctx: &Context<'_>) -> Result<Option<Version>> {
        Version::load(ctx, self.0.app, self.0.version.clone()).await
    }

    /// The version of the software in it.
    async fn app_version(&self) -> Option<&str> {
        self.0.app_version.as_deref()
    }

    /// When the newest of the versions it offers was published.
    async fn published_at(&self) -> DateTime<Utc> {
        self.0.published_at
    }

    /// When the first of its versions was published.
    async fn first_published_at(&self) -> DateTime<Utc> {
        self.0.first_published_at
    }
}
