//! Shelves, and what is put on them.

use async_graphql::{Context, ID, InputObject, Object};
use uuid::Uuid;

use super::payload::{self, Deleted, UserError, give, payload};
use crate::{
    commands::{AssignCategory, CreateCategory, DeleteCategory, EditCategory},
    graphql::{apps::App, categories::Category, error::Result, scalars::LogPosition},
};

#[derive(Default)]
pub struct CategoryMutation;

/// The shelf to make.
#[derive(InputObject)]
struct CreateCategoryInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// Its name, 1 to 40 characters, unique whatever its letters' case.
    name: String,
    /// The name of an icon from the console's set.
    icon: String,
}

/// What to change of a shelf; what is not given stays.
#[derive(InputObject)]
struct EditCategoryInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The category.
    category: ID,
    /// Its new name.
    name: Option<String>,
    /// The name of its new icon.
    icon: Option<String>,
}

/// Which shelf to remove.
#[derive(InputObject)]
struct DeleteCategoryInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The category; it must hold no app.
    category: ID,
}

/// Which app to put where.
#[derive(InputObject)]
struct AssignCategoryInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The app.
    app: ID,
    /// The category; none takes the app off its shelf.
    category: Option<ID>,
}

payload!(
    /// The shelf that was made.
    CreateCategoryPayload {
        /// The category.
        category: Category
    }
);
payload!(
    /// The shelf as it is now.
    EditCategoryPayload {
        /// The category.
        category: Category
    }
);
payload!(
    /// The app on its shelf.
    AssignCategoryPayload {
        /// The app.
        app: App
    }
);

/// The shelf that is gone.
#[derive(async_graphql::SimpleObject)]
struct DeleteCategoryPayload {
    /// The id it had.
    deleted_category: Option<ID>,
    /// The last event it left, or for one that changed nothing, the last event there was; absent if it was refused.
    position: Option<LogPosition>,
    /// Why nothing was done; empty if it was.
    user_errors: Vec<UserError>,
}

#[Object]
impl CategoryMutation {
    /// Makes a shelf.
    async fn create_category(&self, ctx: &Context<'_>, input: CreateCategoryInput) -> Result<CreateCategoryPayload> {
        let (name, icon) = (payload::name(&input.name, "name"), payload::name(&input.icon, "icon"));
        let command = name.and_then(|name| Ok(CreateCategory { name, icon: icon? }));
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Changes the name or the icon of a shelf.
    async fn edit_category(&self, ctx: &Context<'_>, input: EditCategoryInput) -> Result<EditCategoryPayload> {
        let name = input.name.map(|name| payload::name(&name, "name")).transpose();
        let icon = input.icon.map(|icon| payload::name(&icon, "icon")).transpose();
        let command = payload::category(&input.category).and_then(|category| {
            Ok(EditCategory {
                category,
                name: name?,
                icon: icon?,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Removes a shelf that holds no app.
    async fn delete_category(&self, ctx: &Context<'_>, input: DeleteCategoryInput) -> Result<DeleteCategoryPayload> {
        let command = payload::category(&input.category).map(|category| DeleteCategory { category });
        let answer = give::<_, Deleted>(ctx, input.command_id, command).await?;
        Ok(DeleteCategoryPayload {
            deleted_category: answer.object.map(|deleted| deleted.0),
            position: answer.position,
            user_errors: answer.user_errors,
        })
    }

    /// Puts an app on a shelf: its owner, or whoever manages the store.
    async fn assign_category(&self, ctx: &Context<'_>, input: AssignCategoryInput) -> Result<AssignCategoryPayload> {
        let category = input.category.as_ref().map(payload::category).transpose();
        let command = payload::app(&input.app).and_then(|app| {
            Ok(AssignCategory {
                app,
                category: category?,
            })
        });
        Ok(give(ctx, input.command_id, command).await?.into())
    }
}
