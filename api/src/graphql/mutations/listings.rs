//! Edits of a listing, and its own way to review.

use async_graphql::{Context, ID, InputObject, Object};
use uuid::Uuid;

use super::{
    apps::AppInput,
    payload::{self, give, payload},
};
use crate::{
    commands::{self, EditListing, ListingChanges, SetIcon, SubmitListing, WithdrawListing},
    graphql::{apps::App, error::Result},
};

#[derive(Default)]
pub struct ListingMutation;

/// What to change of a listing; what is not given stays. An empty text takes `home` or `licence` away.
#[derive(InputObject)]
struct EditListingInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The app.
    app: ID,
    /// The name people read, at most 80 characters.
    display_name: Option<String>,
    /// At most 200 characters.
    summary: Option<String>,
    /// Markdown, at most 20,000 characters.
    description: Option<String>,
    /// An http or https address.
    home: Option<String>,
    /// At most 30.
    keywords: Option<Vec<String>>,
    /// At most 30.
    maintainers: Option<Vec<MaintainerInput>>,
    /// Addresses, at most 30.
    sources: Option<Vec<String>>,
    /// An SPDX expression, or words.
    licence: Option<String>,
    /// Upload ids of all its screenshots, in the order they are shown; at most 6.
    screenshots: Option<Vec<String>>,
}

/// Who keeps an app.
#[derive(InputObject)]
struct MaintainerInput {
    /// A person's or a team's name.
    name: String,
    /// Where to write.
    email: Option<String>,
    /// Where to read more.
    url: Option<String>,
}

/// Which icon to set.
#[derive(InputObject)]
struct SetIconInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The app.
    app: ID,
    /// The upload id of an icon.
    upload: String,
}

payload!(
    /// The app with its edited draft.
    EditListingPayload {
        /// The app.
        app: App
    }
);
payload!(
    /// The app with the icon in its draft.
    SetIconPayload {
        /// The app.
        app: App
    }
);
payload!(
    /// The app whose listing waits for a review.
    SubmitListingPayload {
        /// The app.
        app: App
    }
);
payload!(
    /// The app whose listing was taken back.
    WithdrawListingPayload {
        /// The app.
        app: App
    }
);

#[Object]
impl ListingMutation {
    /// Edits the draft of a listing. The store shows it after the next review.
    async fn edit_listing(&self, ctx: &Context<'_>, input: EditListingInput) -> Result<EditListingPayload> {
        let (command_id, app) = (input.command_id, payload::app(&input.app));
        let command = app.map(|app| EditListing {
            app,
            changes: input.into_changes(),
        });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Sets the icon in the draft of a listing: PNG or JPEG, at most 96 x 96 px and 64 KiB.
    async fn set_icon(&self, ctx: &Context<'_>, input: SetIconInput) -> Result<SetIconPayload> {
        let SetIconInput {
            command_id,
            app,
            upload,
        } = input;
        let command = payload::app(&app).map(|app| SetIcon { app, upload });
        Ok(give(ctx, command_id, command).await?.into())
    }

    /// Hands the drafted listing of an app in the store to the reviewers, without a version.
    async fn submit_listing(&self, ctx: &Context<'_>, input: AppInput) -> Result<SubmitListingPayload> {
        let command = payload::app(&input.app).map(|app| SubmitListing { app });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Takes a listing back from review.
    async fn withdraw_listing(&self, ctx: &Context<'_>, input: AppInput) -> Result<WithdrawListingPayload> {
        let command = payload::app(&input.app).map(|app| WithdrawListing { app });
        Ok(give(ctx, input.command_id, command).await?.into())
    }
}

impl EditListingInput {
    fn into_changes(self) -> ListingChanges {
        let maintainers = self.maintainers.map(|all| all.into_iter().map(Into::into).collect());
        ListingChanges {
            display_name: self.display_name,
            summary: self.summary,
            description: self.description,
            home: self.home,
            keywords: self.keywords,
            maintainers,
            sources: self.sources,
            licence: self.licence,
            screenshots: self.screenshots,
        }
    }
}

impl From<MaintainerInput> for commands::MaintainerInput {
    fn from(input: MaintainerInput) -> Self {
        let MaintainerInput { name, email, url } = input;
        Self { name, email, url }
    }
}
