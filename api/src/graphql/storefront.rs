//! The store: what is published and not suspended.

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};
use domain::{access::Place, permission::Permission};
use projections::{
    Moment,
    storefront::{self, Shelf},
};

use super::{
    NodeId,
    apps::App,
    as_of::{self, AsOf},
    at_least::{self, AtLeast},
    categories::Category,
    error::{ApiError, Result},
    page::{self, Connected},
    versions::Version,
    viewer::{read_at, viewer},
};

#[derive(Default)]
pub struct StoreQuery;

#[Object]
impl StoreQuery {
    /// The store, the newest publication first. `search` looks in names, summaries, keywords and READMEs; its last word
    /// may be the beginning of one. The past cannot be searched.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn store(
        &self,
        ctx: &Context<'_>,
        search: Option<String>,
        #[graphql(desc = "Only what is on this shelf.")] category: Option<ID>,
        #[graphql(desc = "Only what is on no shelf.", default)] uncategorised: bool,
        #[graphql(desc = "What it showed then. For whoever may see history.")] as_of: Option<AsOf>,
        #[graphql(desc = "Answer only once this was seen, such as what a mutation just did.")] at_least: Option<
            AtLeast,
        >,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<StoreEntry>> {
        viewer(ctx)?.authorize(Permission::StoreView, Place::Platform)?;
        at_least::wait(ctx, at_least).await?;
        let (is_first, request) = (after.is_none(), page::request(first, after)?);
        let moment = as_of::moment(ctx, as_of).await?;
        as_of::authorize(ctx, moment)?;
        let search = search.filter(|text| !text.trim().is_empty());
        if search.is_some() && moment != Moment::Now {
            return Err(ApiError::new(
                "AS_OF_SEARCH",
                "the search knows the present only; leave out search or asOf",
            ));
        }
        let shelf = match (category.as_ref().map(|id| NodeId::parse(id)), uncategorised) {
            (Some(Some(NodeId::Category(category))), _) => Shelf::Category(category),
            // A shelf that does not exist holds nothing.
            (Some(_), _) => return Ok(Connected::new(false, false)),
            (None, true) => Shelf::Uncategorised,
            (None, false) => Shelf::Any,
        };
        let entries = read_at(ctx, moment, move |view| match search {
            Some(text) => storefront::search(view, &text, shelf, &request),
            None => storefront::entries(view, shelf, &request),
        });
        Ok(page::connection(entries.await?, is_first, |row| StoreEntry {
            row,
            moment,
        }))
    }
}

pub struct StoreEntry {
    row: storefront::Entry,
    /// When it was so; what it leads to is of the same moment.
    moment: Moment,
}

/// An app as the store shows it.
#[Object]
impl StoreEntry {
    /// The app.
    async fn app(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        App::load_at(ctx, self.row.app, self.moment).await
    }

    /// The chart's name: what `helm pull` and `helm install` call it.
    async fn chart_name(&self) -> &str {
        self.row.chart.as_str()
    }

    /// The name people read; the chart's if the listing was removed.
    async fn display_name(&self) -> &str {
        self.row
            .card
            .as_ref()
            .map_or(self.row.chart.as_str(), |card| card.display_name.as_str())
    }

    /// One or two sentences.
    async fn summary(&self) -> Option<&str> {
        self.row.card.as_ref().map(|card| card.summary.as_str())
    }

    /// Words to find it by.
    async fn keywords(&self) -> &[String] {
        self.row.card.as_ref().map_or(&[], |card| card.keywords.as_slice())
    }

    /// Path of the icon on this server; needs the same token.
    async fn icon_path(&self) -> Option<String> {
        let icon = self.row.card.as_ref().and_then(|card| card.icon);
        icon.map(|_| format!("/apps/{}/icon?listing={}", self.row.app, self.row.listing))
    }

    /// The shelf it is on; absent for the uncategorised.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        match self.row.category {
            Some(id) => Category::load_at(ctx, id, self.moment).await,
            None => Ok(None),
        }
    }

    /// The version the store offers first.
    async fn latest_version(&self, ctx: &Context<'_>) -> Result<Option<Version>> {
        Version::load_at(ctx, self.row.app, self.row.version.clone(), self.moment).await
    }

    /// The version of the software in it.
    async fn app_version(&self) -> Option<&str> {
        self.row.app_version.as_deref()
    }

    /// When the newest of the versions it offers was published.
    async fn published_at(&self) -> DateTime<Utc> {
        self.row.published_at
    }

    /// When the first of its versions was published.
    async fn first_published_at(&self) -> DateTime<Utc> {
        self.row.first_published_at
    }
}
