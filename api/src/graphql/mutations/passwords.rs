//! Passwords, and accounts that nothing opens.

use async_graphql::{Context, ID, InputObject, Object};
use projections::access::Key;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    payload::{self, Answer, UserError, give, payload},
    sessions::too_often,
};
use crate::{
    auth::{
        passwords::{NewPassword, PasswordError},
        sign_in::{self, SignInError},
    },
    commands::{BlockAccount, ResetPassword, SetPassword, UnblockAccount, wrong_password},
    graphql::{
        accounts::Account,
        error::{ApiError, Result},
        viewer::{key, services, viewer},
    },
};

#[derive(Default)]
pub struct PasswordMutation;

/// The viewer's own password.
#[derive(InputObject)]
struct SetPasswordInput {
    /// The password of now; absent for an account that has none.
    #[graphql(secret)]
    present_password: Option<String>,
    /// The new one: 12 to 128 characters, not what anybody would try first.
    #[graphql(secret)]
    password: String,
}

/// Somebody's new password.
#[derive(InputObject)]
struct ResetPasswordInput {
    /// The account.
    account: ID,
    /// The new one: 12 to 128 characters, not what anybody would try first.
    #[graphql(secret)]
    password: String,
}

/// The account to shut or to open.
#[derive(InputObject)]
struct BlockInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The account.
    account: ID,
}

payload!(
    /// Whose password was set.
    SetPasswordPayload {
        /// The account.
        account: Account
    }
);
payload!(
    /// Whose password was set.
    ResetPasswordPayload {
        /// The account.
        account: Account
    }
);
payload!(
    /// The account that nothing opens now.
    BlockAccountPayload {
        /// The account.
        account: Account
    }
);
payload!(
    /// The account that can be signed in to again.
    UnblockAccountPayload {
        /// The account.
        account: Account
    }
);

#[Object]
impl PasswordMutation {
    /// Sets the viewer's own password, and ends its other sessions. Safe to send again: it sets the same password.
    async fn set_password(&self, ctx: &Context<'_>, input: SetPasswordInput) -> Result<SetPasswordPayload> {
        let viewer = viewer(ctx)?;
        viewer.own_affairs().map_err(ApiError::narrowed)?;
        let account = viewer.account;
        let keeps = match key(ctx)? {
            Key::Session(session) => Some(session),
            Key::Token(_) => None,
        };
        let shown = match input.present_password.map(Zeroizing::new) {
            Some(present) => match sign_in::shown_password(services(ctx), account, present).await {
                Ok(Some(shown)) => Some(shown),
                Ok(None) => return Ok(refused(&wrong_password()).into()),
                Err(SignInError::TooOften(often)) => return Err(too_often(ctx, often)),
                Err(error) => return Err(ApiError::internal(&error)),
            },
            None => None,
        };
        let password = new_password(ctx, input.password).await?;
        let command = password.map(|password| SetPassword {
            account,
            shown,
            keeps,
            password,
        });
        Ok(give(ctx, None, command).await?.into())
    }

    /// Sets somebody's password, and ends all their sessions. For whoever manages accounts and could take away all that
    /// the account holds on the platform.
    async fn reset_password(&self, ctx: &Context<'_>, input: ResetPasswordInput) -> Result<ResetPasswordPayload> {
        viewer(ctx)?;
        let account = payload::account(&input.account);
        let password = new_password(ctx, input.password).await?;
        let command = account.and_then(|account| {
            let password = password?;
            Ok(ResetPassword { account, password })
        });
        Ok(give(ctx, None, command).await?.into())
    }

    /// Keeps everybody out of an account, its owner included: its sessions end, its tokens rest.
    async fn block_account(&self, ctx: &Context<'_>, input: BlockInput) -> Result<BlockAccountPayload> {
        let command = payload::account(&input.account).map(|account| BlockAccount { account });
        Ok(give(ctx, input.command_id, command).await?.into())
    }

    /// Lets an account be signed in to again, and its tokens be used.
    async fn unblock_account(&self, ctx: &Context<'_>, input: BlockInput) -> Result<UnblockAccountPayload> {
        let command = payload::account(&input.account).map(|account| UnblockAccount { account });
        Ok(give(ctx, input.command_id, command).await?.into())
    }
}

fn refused(error: &crate::commands::CommandError) -> Answer<Account> {
    Answer {
        object: None,
        position: None,
        user_errors: vec![UserError::new(error.code(), error.to_string(), error.path())],
    }
}

/// A password that is good enough, or the rule that it breaks.
pub async fn new_password(ctx: &Context<'_>, text: String) -> Result<std::result::Result<NewPassword, UserError>> {
    let text = Zeroizing::new(text);
    match services(ctx).auth.passwords.prepare(text).await {
        Ok(password) => Ok(Ok(password)),
        Err(PasswordError::Weak(weak)) => {
            let path = &["input", "password"];
            Ok(Err(UserError::new(weak.code(), weak.to_string(), path)))
        }
        Err(PasswordError::Failed(failed)) => Err(ApiError::internal(&failed)),
    }
}

/// As [`new_password`], where it may be left out, for whoever is signed in.
pub async fn first_password(
    ctx: &Context<'_>,
    text: Option<String>,
) -> Result<std::result::Result<Option<NewPassword>, UserError>> {
    viewer(ctx)?;
    match text {
        Some(text) => Ok(new_password(ctx, text).await?.map(Some)),
        None => Ok(Ok(None)),
    }
}
