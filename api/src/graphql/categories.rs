//! The shelves of the store.

use async_graphql::{Context, ID, Object, SimpleObject};
use domain::{access::Place, ids::CategoryId, permission::Permission};
use projections::categories;

use super::{
    NodeId,
    error::Result,
    viewer::{read, viewer},
};

#[derive(Default)]
pub struct CategoryQuery;

#[Object]
impl CategoryQuery {
    /// All shelves, in the order of their names, and how many apps of the store are on none.
    async fn categories(&self, ctx: &Context<'_>) -> Result<Categories> {
        viewer(ctx)?.authorize(Permission::StoreView, Place::Platform)?;
        let (all, uncategorised) = read(ctx, |view| {
            Ok((categories::all(view)?, categories::uncategorised(view)?))
        })
        .await?;
        let nodes = all.into_iter().map(|counted| Category {
            category: counted.category,
            apps: Some(counted.apps),
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

/// A shelf of the store.
pub struct Category {
    category: categories::Category,
    /// Counted already, or counted when asked for.
    apps: Option<u64>,
}

impl Category {
    /// The category, to whoever may see the store or has an app on it.
    pub async fn load(ctx: &Context<'_>, id: CategoryId) -> Result<Option<Self>> {
        viewer(ctx)?;
        let found = read(ctx, move |view| categories::category(view, id)).await?;
        Ok(found.map(|category| Self { category, apps: None }))
    }
}

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

    /// How many apps of the store are on it.
    async fn apps(&self, ctx: &Context<'_>) -> Result<u64> {
        if let Some(apps) = self.apps {
            return Ok(apps);
        }
        let id = self.category.id;
        let all = read(ctx, categories::all).await?;
        Ok(all
            .into_iter()
            .find(|counted| counted.category.id == id)
            .map_or(0, |counted| counted.apps))
    }
}
