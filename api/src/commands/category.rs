//! The shelves of the store.

use domain::{
    access::Place,
    app::Command as Do,
    category::{Category, Command as DoCategory, Event},
    ids::{AppId, CategoryId},
    name::Claim,
    names::{CategoryName, IconName},
    permission::Permission,
};
use serde::Serialize;

use super::{Command, CommandError, Target, Work, store::authority, work::holder};
use crate::ids;

#[derive(Debug, Serialize)]
pub struct CreateCategory {
    pub name: CategoryName,
    pub icon: IconName,
}

impl Command for CreateCategory {
    const NAME: &'static str = "CreateCategory";

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::CategoryCreate, Place::Platform)?;
        let id = CategoryId::from_uuid(ids::fresh());
        let create = DoCategory::Create {
            name: self.name.clone(),
            icon: self.icon.clone(),
        };
        work.decide::<Category>(id, create).await?;
        work.take_name(&Claim::Category(self.name.clone()), &holder::<Category>(id))
            .await?;
        Ok(Target::Category(id))
    }
}

#[derive(Debug, Serialize)]
pub struct EditCategory {
    pub category: CategoryId,
    pub name: Option<CategoryName>,
    pub icon: Option<IconName>,
}

impl Command for EditCategory {
    const NAME: &'static str = "EditCategory";

    fn target(&self) -> Option<Target> {
        Some(Target::Category(self.category))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::CategoryEdit, Place::Platform)?;
        let before = existing(work, self.category).await?;
        let name = self.name.clone().unwrap_or_else(|| before.name.clone());
        let icon = self.icon.clone().unwrap_or(before.icon);
        work.decide::<Category>(
            self.category,
            DoCategory::Edit {
                name: name.clone(),
                icon,
            },
        )
        .await?;
        let (old, new) = (Claim::Category(before.name), Claim::Category(name));
        if old.stream_key() != new.stream_key() {
            let holder = holder::<Category>(self.category);
            work.release_name(&old, &holder).await?;
            work.take_name(&new, &holder).await?;
        }
        Ok(Target::Category(self.category))
    }
}

/// Deletes a category that holds no app.
#[derive(Debug, Serialize)]
pub struct DeleteCategory {
    pub category: CategoryId,
}

impl Command for DeleteCategory {
    const NAME: &'static str = "DeleteCategory";

    fn target(&self) -> Option<Target> {
        Some(Target::Category(self.category))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        work.authorize(Permission::CategoryDelete, Place::Platform)?;
        let category = work
            .load::<Category>(self.category)
            .await?
            .ok_or(CommandError::NotFound("category"))?;
        let deleted = work.decide::<Category>(self.category, DoCategory::Delete).await?;
        if deleted.contains(&Event::CategoryDeleted {}) {
            work.release_name(&Claim::Category(category.name), &holder::<Category>(self.category))
                .await?;
        }
        Ok(Target::Category(self.category))
    }
}

/// Puts an app on a shelf; `None` is the shelf of the uncategorised.
#[derive(Debug, Serialize)]
pub struct AssignCategory {
    pub app: AppId,
    pub category: Option<CategoryId>,
}

impl Command for AssignCategory {
    const NAME: &'static str = "AssignCategory";

    fn target(&self) -> Option<Target> {
        Some(Target::App(self.app))
    }

    async fn carry_out(&self, work: &mut Work<'_>) -> Result<Target, CommandError> {
        let app = work.visible_app(self.app).await?;
        let assign = Do::AssignCategory {
            category: self.category,
            authority: authority(work, Permission::CategoryAssign),
        };
        if work.decide_on_app(self.app, assign).await?.is_empty() {
            return Ok(Target::App(self.app));
        }
        if let Some(left) = app.category {
            work.decide::<Category>(left, DoCategory::Unshelve { app: self.app })
                .await?;
        }
        if let Some(entered) = self.category {
            existing(work, entered).await?;
            work.decide::<Category>(entered, DoCategory::Shelve { app: self.app })
                .await?;
        }
        Ok(Target::App(self.app))
    }
}

async fn existing(work: &mut Work<'_>, id: CategoryId) -> Result<Category, CommandError> {
    let category = work.load::<Category>(id).await?;
    category
        .filter(|category| !category.deleted)
        .ok_or(CommandError::NotFound("category"))
}
