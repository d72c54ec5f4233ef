//! Tokens for machines.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{ids::TokenId, role::permissions_named};
use uuid::Uuid;

use super::payload::{self, Answer, Shown, UserError, give, payload};
use crate::{
    auth,
    commands::{IssueToken, RevokeToken, Target},
    graphql::{
        accounts::Account,
        credentials::Token,
        error::{ApiError, Result},
        scalars::LogPosition,
        viewer::viewer,
    },
    ids,
};

#[derive(Default)]
pub struct TokenMutation;

/// The token to make, for the viewer's own account.
#[derive(InputObject)]
struct CreateTokenInput {
    /// Makes it safe to send the mutation again: the same id makes one token. Its secret is shown only the first time.
    command_id: Option<Uuid>,
    /// What to call it, 1 to 100 characters.
    name: String,
    /// All that it is to allow: permissions such as `version.upload`, or the bundles `app-store-management` and
    /// `app-store-view`. It never allows more than the account's roles do. Without any, it allows all that they do.
    permissions: Option<Vec<String>>,
    /// When it ends by itself; without it, it lasts until it is revoked.
    expires_at: Option<DateTime<Utc>>,
}

/// Which token to make useless.
#[derive(InputObject)]
struct RevokeTokenInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The token's id, as `viewer { tokens }` shows it.
    token: Uuid,
    /// Whose it is, for whoever manages accounts; the viewer's own if it is not named.
    account: Option<ID>,
}

/// The token that was made.
#[derive(SimpleObject)]
struct CreateTokenPayload {
    /// The token.
    token: Option<Token>,
    /// What to send in `Authorization: Bearer …`. Shown this once; absent if the command is repeated.
    secret: Option<String>,
    /// The last event it left; absent if it was refused.
    position: Option<LogPosition>,
    /// Why nothing was done; empty if it was.
    user_errors: Vec<UserError>,
}

payload!(
    /// Whose token it was.
    RevokeTokenPayload {
        /// The account.
        account: Account
    }
);

#[Object]
impl TokenMutation {
    /// Makes a token for the viewer's own account, which may be narrowed to permissions and end by itself.
    async fn create_token(&self, ctx: &Context<'_>, input: CreateTokenInput) -> Result<CreateTokenPayload> {
        let account = viewer(ctx)?.account;
        let secret = auth::new_token().map_err(|error| ApiError::internal(&error))?;
        let id = TokenId::from_uuid(ids::fresh());
        let permissions = input.permissions.map(|named| permissions_named(&named)).transpose();
        let permissions = permissions
            .map_err(|error| UserError::new("PERMISSION_UNKNOWN", error.to_string(), &["input", "permissions"]));
        let command = permissions.map(|permissions| IssueToken {
            account,
            token: id,
            name: Some(input.name),
            permissions,
            expires: input.expires_at,
            secret: auth::secret_of(&secret),
        });
        let answer: Answer<Token> = give(ctx, input.command_id, command).await?;
        let is_new = answer.object.as_ref().is_some_and(|token| token.is(id));
        Ok(CreateTokenPayload {
            token: answer.object,
            secret: is_new.then(|| secret.to_string()),
            position: answer.position,
            user_errors: answer.user_errors,
        })
    }

    /// Makes a token useless from now on, also in what is open by it.
    async fn revoke_token(&self, ctx: &Context<'_>, input: RevokeTokenInput) -> Result<RevokeTokenPayload> {
        let own = viewer(ctx)?.account;
        let account = input.account.as_ref().map_or(Ok(own), payload::account);
        let token = TokenId::from_uuid(input.token);
        let command = account.map(|account| RevokeToken { account, token });
        Ok(give(ctx, input.command_id, command).await?.into())
    }
}

impl Shown for Token {
    async fn shown(ctx: &Context<'_>, target: Target) -> Result<Option<Self>> {
        match target {
            Target::Token(_, token) => Self::load(ctx, token).await,
            _ => Ok(None),
        }
    }
}
