//! Signing in and out, from browsers. Machines send a token instead.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use axum::http::{HeaderValue, header};
use domain::ids::SessionId;
use projections::access::Key;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::payload::{Answer, UserError, give, payload};
use crate::{
    auth::{
        attempts::TooOften,
        cookie,
        sign_in::{self, SignInError, SignedIn},
    },
    commands::CloseSession,
    graphql::{
        accounts::Account,
        credentials::Session,
        error::{ApiError, Result},
        scalars::LogPosition,
        viewer::{key, services},
    },
    http::peer::Peer,
};

#[derive(Default)]
pub struct SessionMutation;

/// Who signs in.
#[derive(InputObject)]
struct SignInInput {
    /// The account's name.
    name: String,
    /// Its password.
    #[graphql(secret)]
    password: String,
}

/// The end of the session that the request was sent by.
#[derive(InputObject)]
struct SignOutInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
}

/// Which session to end.
#[derive(InputObject)]
struct CloseSessionInput {
    /// Makes it safe to send the mutation again: the same id is answered as it was the first time.
    command_id: Option<Uuid>,
    /// The session's id, as `viewer { sessions }` shows it.
    session: Uuid,
}

/// Who is signed in now. The browser has a cookie that says so from the next request on.
#[derive(SimpleObject)]
struct SignInPayload {
    /// The account; absent if it was refused.
    account: Option<Account>,
    /// The session.
    session: Option<Session>,
    /// The event that the session began with; absent if it was refused.
    position: Option<LogPosition>,
    /// Why nobody was signed in; empty if somebody was.
    user_errors: Vec<UserError>,
}

payload!(
    /// Whose session it was.
    SignOutPayload {
        /// The account.
        account: Account
    }
);
payload!(
    /// Whose session it was.
    CloseSessionPayload {
        /// The account.
        account: Account
    }
);

#[Object]
impl SessionMutation {
    /// Signs in with name and password, and gives the browser the cookie of a new session. Whatever is wrong, the answer is
    /// the same. Tried too often it is refused with `SIGN_IN_TOO_OFTEN`, and with the seconds to wait in
    /// `extensions.retryAfterSeconds` and in the header `Retry-After`.
    async fn sign_in(&self, ctx: &Context<'_>, input: SignInInput) -> Result<SignInPayload> {
        let Some(Peer(peer)) = ctx.data_opt::<Peer>().copied() else {
            let message = "a web socket gives no cookie; sign in by HTTP, and open the socket then";
            return Err(ApiError::new("SIGN_IN_NEEDS_HTTP", message));
        };
        let password = Zeroizing::new(input.password);
        match sign_in::with_password(services(ctx), peer, &input.name, password).await {
            Ok(signed_in) => shown(ctx, signed_in).await,
            Err(SignInError::Failed) => Ok(SignInPayload {
                account: None,
                session: None,
                position: None,
                user_errors: vec![UserError::new(
                    "SIGN_IN_FAILED",
                    SignInError::Failed.to_string(),
                    &["input"],
                )],
            }),
            Err(SignInError::TooOften(often)) => Err(too_often(ctx, often)),
            Err(SignInError::Command(error)) => Err(error.into()),
        }
    }

    /// Ends the session that this request was sent by, and takes its cookie away.
    async fn sign_out(&self, ctx: &Context<'_>, input: SignOutInput) -> Result<SignOutPayload> {
        let command = match key(ctx)? {
            Key::Session(session) => Ok(CloseSession { session }),
            Key::Token(_) => Err(UserError::new(
                "NO_SESSION",
                "this request was sent by a token; revokeToken ends that".to_owned(),
                &["input"],
            )),
        };
        let answer: Answer<Account> = give(ctx, input.command_id, command).await?;
        if let Some(taken) = cookie::taken(cookie::SESSION).filter(|_| answer.user_errors.is_empty()) {
            ctx.append_http_header(header::SET_COOKIE, taken);
        }
        Ok(answer.into())
    }

    /// Ends a session of the viewer's, from elsewhere, or for whoever manages accounts, of anybody's.
    async fn close_session(&self, ctx: &Context<'_>, input: CloseSessionInput) -> Result<CloseSessionPayload> {
        let session = SessionId::from_uuid(input.session);
        Ok(give(ctx, input.command_id, Ok(CloseSession { session })).await?.into())
    }
}

async fn shown(ctx: &Context<'_>, signed_in: SignedIn) -> Result<SignInPayload> {
    let lifetime = services(ctx).limits.session_lifetime;
    if let Some(cookie) = cookie::given(cookie::SESSION, &signed_in.secret, lifetime) {
        ctx.append_http_header(header::SET_COOKIE, cookie);
    }
    Ok(SignInPayload {
        account: Account::load(ctx, signed_in.account).await?,
        session: Session::load(ctx, signed_in.session).await?,
        position: Some(LogPosition(signed_in.position.get())),
        user_errors: vec![],
    })
}

/// Says when to try again, for programs and for browsers.
pub fn too_often(ctx: &Context<'_>, often: TooOften) -> ApiError {
    ctx.insert_http_header(header::RETRY_AFTER, HeaderValue::from(often.retry_after_seconds));
    ApiError::too_often(often)
}
