//! The store: what is published and not suspended.

use async_graphql::{Context, Enum, ID, Object};
use chrono::{DateTime, Utc};
use domain::{
    access::{Place, Principal},
    permission::Permission,
};
use projections::{
    Connection as View, Moment,
    storefront::{self, Filter, Shelf},
};

use super::{
    NodeId,
    apps::App,
    as_of::{self, AsOf},
    at_least::{self, AtLeast},
    categories::Category,
    error::Result,
    in_place::InPlace,
    page::{self, Connected},
    versions::Version,
    viewer::{read_at, services, viewer},
};

#[derive(Default)]
pub struct StoreQuery;

#[Object]
impl StoreQuery {
    /// The store, the newest publication first unless another order is asked for. What does not fit all of what is asked
    /// for is left out.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn store(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Words that all occur in name, summary, keywords or README; the last one may be the beginning of one."
        )]
        search: Option<String>,
        #[graphql(desc = "Only what is on this shelf.")] category: Option<ID>,
        #[graphql(desc = "Only what is on no shelf.", default)] uncategorised: bool,
        #[graphql(desc = "Only what this workspace offers. For its members.")] workspace: Option<ID>,
        #[graphql(
            desc = "Only what somebody of this name maintains, by its listing; upper and lower case are the same."
        )]
        maintainer: Option<String>,
        #[graphql(desc = "What it is ordered by; the newest publication first, if not given.")] sort: Option<StoreSort>,
        #[graphql(desc = "What it showed then. For whoever may see history.")] as_of: Option<AsOf>,
        #[graphql(desc = "Answer only once this was seen, such as what a mutation just did.")] at_least: Option<
            AtLeast,
        >,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connected<InPlace<StoreEntry>, Found>> {
        viewer(ctx)?.authorize(Permission::StoreView, Place::Platform)?;
        at_least::wait(ctx, at_least).await?;
        let (is_first, request) = (after.is_none(), page::request(ctx, first, after)?);
        let moment = as_of::moment(ctx, as_of).await?;
        as_of::authorize(ctx, moment)?;
        let named = Named {
            category,
            uncategorised,
            workspace,
        };
        let Some(filter) = named.filter(viewer(ctx)?, search, maintainer) else {
            return Ok(Connected::empty_with(Found::default()));
        };
        let counts = ctx.look_ahead().field("facets").exists();
        // To count what fits, to put it into another order than the index is in, or to find what once had a word in it,
        // more has to be looked at than is shown.
        let is_short = !counts
            && sort.is_none_or(|sort| sort == StoreSort::default())
            && (moment == Moment::Now || filter.text.is_none());
        let question = move |view: &View| {
            let facets = match counts {
                true => Some(storefront::facets(view, &filter)?),
                false => None,
            };
            Ok((
                storefront::list(view, &filter, sort.unwrap_or_default().into(), &request)?,
                facets,
            ))
        };
        let (entries, facets) = match is_short {
            true => services(ctx).views.read_inline(moment, question).await?,
            false => read_at(ctx, moment, question).await?,
        };
        let found = Found { facets, moment };
        let show = |row| InPlace(StoreEntry { row, moment });
        Ok(page::connection_with(ctx, entries, is_first, found, show))
    }
}

/// What the store is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Enum)]
#[graphql(remote = "storefront::Sort")]
pub enum StoreSort {
    /// The newest publication first.
    #[default]
    NewestPublication,
    /// The display name.
    Name,
    /// What the store shows of it, the latest change first.
    LastUpdate,
}

/// What the viewer named to look among.
struct Named {
    category: Option<ID>,
    uncategorised: bool,
    workspace: Option<ID>,
}

impl Named {
    /// `None` if it names what is not there for the viewer: there is nothing in it, then.
    fn filter(self, viewer: &Principal, text: Option<String>, maintainer: Option<String>) -> Option<Filter> {
        let shelf = match (self.category.as_ref().map(|id| NodeId::parse(id)), self.uncategorised) {
            (Some(Some(NodeId::Category(category))), false) => Shelf::Category(category),
            // A shelf that does not exist holds nothing, and no app is both on a shelf and on none.
            (Some(_), _) => return None,
            (None, true) => Shelf::Uncategorised,
            (None, false) => Shelf::Any,
        };
        let workspace = match self.workspace.as_ref().map(|id| NodeId::parse(id)) {
            Some(Some(NodeId::Workspace(id))) if viewer.may(Permission::WorkspaceView, Place::Workspace(id)) => {
                Some(id)
            }
            Some(_) => return None,
            None => None,
        };
        Some(Filter {
            text,
            shelf,
            workspace,
            maintainer,
        })
    }
}

/// What was found, beyond the page.
#[derive(Default)]
pub struct Found {
    facets: Option<Vec<storefront::Facet>>,
    moment: Moment,
}

/// What was found, beyond the page.
#[Object]
impl Found {
    /// How many apps the other filters and the search leave on each shelf that has any, in no order; and on none, which has
    /// no category.
    #[graphql(complexity = "10 + child_complexity")]
    async fn facets(&self) -> Vec<StoreFacet> {
        let counted = self.facets.iter().flatten().map(|facet| StoreFacet {
            facet: *facet,
            moment: self.moment,
        });
        counted.collect()
    }
}

pub struct StoreFacet {
    facet: storefront::Facet,
    moment: Moment,
}

/// How many of the apps that were looked for are on a shelf.
#[Object]
impl StoreFacet {
    /// The shelf; absent for the uncategorised.
    async fn category(&self, ctx: &Context<'_>) -> Result<Option<Category>> {
        match self.facet.category {
            Some(id) => Category::load_at(ctx, id, self.moment).await,
            None => Ok(None),
        }
    }

    /// How many apps.
    async fn apps(&self) -> u64 {
        self.facet.apps
    }
}

pub struct StoreEntry {
    row: storefront::Entry,
    /// When it was so; what it leads to is of the same moment.
    moment: Moment,
}

// What its fields await is boxed: unboxed, it would be a part of the future of every field of every entry, which is moved
// about whichever field is asked for.
/// An app as the store shows it.
#[Object(serial)]
impl StoreEntry {
    /// The app.
    async fn app(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        Box::pin(App::load_at(ctx, self.row.app, self.moment)).await
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
            Some(id) => Box::pin(Category::load_at(ctx, id, self.moment)).await,
            None => Ok(None),
        }
    }

    /// The version the store offers first.
    async fn latest_version(&self, ctx: &Context<'_>) -> Result<Option<Version>> {
        Box::pin(Version::load_at(
            ctx,
            self.row.app,
            self.row.version.clone(),
            self.moment,
        ))
        .await
    }

    /// The version of the software in it.
    async fn app_version(&self) -> Option<&str> {
        self.row.app_version.as_deref()
    }

    /// When the newest of the versions it offers was published.
    async fn published_at(&self) -> DateTime<Utc> {
        self.row.published_at
    }

    /// When anything of what the store shows of it last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }

    /// When the first of its versions was published.
    async fn first_published_at(&self) -> DateTime<Utc> {
        self.row.first_published_at
    }
}
