//! The shelves of the store.

use async_graphql::{Context, ID, Object, SimpleObject};
use domain::{access::Place, ids::CategoryId, permission::Permission};
use projections::{
    Moment,
    categories::{self, AppsIn},
};

use super::{
    NodeId,
    as_of::{self, AsOf},
    at_least::{self, AtLeast},
    error::Result,
    loaders,
    viewer::{read_at, viewer},
};

#[derive(Default)]
pub struct CategoryQuery;

#[Object]
impl CategoryQuery {
    /// All shelves, in the order of their names, and how many apps of the store are on none.
    async fn categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "As they were then. For whoever may see history.")] as_of: Option<AsOf>,
        #[graphql(desc = "Answer only once this was seen, such as what a mutation just did.")] at_least: Option<
            AtLeast,
        >,
    ) -> Result<Categories> {
        viewer(ctx)?.authorize(Permission::StoreView, Place::Platform)?;
        at_least::wait(ctx, at_least).await?;
        let moment = as_of::moment(ctx, as_of).await?;
        as_of::authorize(ctx, moment)?;
        let (all, uncategorised) = read_at(ctx, moment, |view| {
            Ok((categories::all(view)?, categories::uncategorised(view)?))
        })
        .await?;
        let nodes = all.into_iter().map(|counted| Category {
            category: counted.category,
            apps: Some(counted.apps),
            moment,
        });
        Ok(Categories {
            nodes: nodes.collect(),
            uncategorised_apps: uncategorised,
        })
    }
}

/// All shelves of the store.
#[derive(SimpleObject)]
pub struct Categories {
    /// The shelves, in the order of their names.
    nodes: Vec<Category>,
    /// How many apps of the store are on no shelf.
    uncategorised_apps: u64,
}

pub struct Category {
    category: categories::Category,
    /// Counted already, or counted when asked for.
    apps: Option<u64>,
    moment: Moment,
}

impl Category {
    /// The category, to whoever may see the store or has an app on it.
    pub async fn load(ctx: &Context<'_>, id: CategoryId) -> Result<Option<Self>> {
        Self::load_at(ctx, id, Moment::Now).await
    }

    /// The category as it was.
    pub async fn load_at(ctx: &Context<'_>, id: CategoryId, moment: Moment) -> Result<Option<Self>> {
        viewer(ctx)?;
        let found = loaders::row_at(ctx, moment, id).await?;
        Ok(found.map(|category| Self {
            category,
            apps: None,
            moment,
        }))
    }
}

/// A shelf of the store.
#[Object]
impl Category {
    /// The global id.
    pub async fn id(&self) -> ID {
        NodeId::Category(self.category.id).into()
    }

    /// The name, unique whatever its letters' case.
    async fn name(&self) -> &str {
        self.category.name.as_str()
    }

    /// The name of an icon from the console's set.
    async fn icon(&self) -> &str {
        self.category.icon.as_str()
    }

    /// How many apps of the store are on it; how many were is for whoever may see history.
    async fn apps(&self, ctx: &Context<'_>) -> Result<u64> {
        if let Some(apps) = self.apps {
            return Ok(apps);
        }
        as_of::authorize(ctx, self.moment)?;
        let counted = loaders::row_at(ctx, self.moment, AppsIn(self.category.id)).await?;
        Ok(counted.unwrap_or_default())
    }
}
