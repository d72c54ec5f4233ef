//! What must not stay: a person behind an account, and bytes that were published.

use async_graphql::{Context, ID, InputObject, Object};
use uuid::Uuid;

use super::payload::{self, Answer, Shown, UserError, give, payload};
use crate::{
    commands::{Command, EraseAccount, RemoveContent},
    effects::erasure,
    graphql::{
        accounts::Account,
        error::{ApiError, Result},
        removals::ContentRemoval,
        scalars::Sha256,
        viewer::services,
    },
};

#[derive(Default)]
pub struct ErasureMutation;

/// Whom to erase.
#[derive(InputObject)]
struct EraseAccountInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The account.
    account: ID,
    /// The account's name once more: nobody is erased by a slip.
    name: String,
}

/// Which bytes to take away.
#[derive(InputObject)]
struct RemoveContentInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The SHA-256 of an archive, a listing, an icon or a screenshot. With an archive goes what was read from it.
    digest: Sha256,
    /// Why, for reviewers and auditors; 1 to 4,000 characters.
    reason: String,
}

payload!(
    /// The account as it is now.
    EraseAccountPayload {
        /// The account, without a name.
        account: Account
    }
);
payload!(
    /// What was taken away.
    RemoveContentPayload {
        /// The removal.
        removal: ContentRemoval
    }
);

#[Object]
impl ErasureMutation {
    /// Erases the person behind an account, for good: name and written words cannot be read by anybody any more, tokens
    /// and roles are gone. What was done under the account stays in the history, by its id. Needs `account.manage`.
    async fn erase_account(&self, ctx: &Context<'_>, input: EraseAccountInput) -> Result<EraseAccountPayload> {
        let command = erase(&input);
        Ok(destroy(ctx, input.command_id, command).await?.into())
    }

    /// Takes published bytes away, for good: they can be neither had nor installed nor uploaded again. Releases of them go
    /// on. Needs `content.remove`.
    async fn remove_content(&self, ctx: &Context<'_>, input: RemoveContentInput) -> Result<RemoveContentPayload> {
        let command = RemoveContent {
            digest: input.digest.0,
            reason: Some(input.reason),
        };
        Ok(destroy(ctx, input.command_id, Ok(command)).await?.into())
    }
}

fn erase(input: &EraseAccountInput) -> std::result::Result<EraseAccount, UserError> {
    Ok(EraseAccount {
        account: payload::account(&input.account)?,
        confirmed: Some(payload::name(&input.name, "name")?),
    })
}

/// Gives the command, and answers when the keys and the bytes are gone. If that fails, it is done later: it is recorded.
async fn destroy<C: Command, T: Shown>(
    ctx: &Context<'_>,
    command_id: Option<Uuid>,
    command: std::result::Result<C, UserError>,
) -> Result<Answer<T>> {
    let answer = give(ctx, command_id, command).await?;
    if answer.user_errors.is_empty() {
        let finished = erasure::finish(services(ctx)).await;
        finished.map_err(|error| ApiError::internal(&error))?;
    }
    Ok(answer)
}
