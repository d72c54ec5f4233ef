//! `GET /auth/oidc/start` and `/auth/oidc/callback`: signing in by an `OpenID` provider, one page after the other.

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use domain::{account::Proof, refusal::Reason, session::Method};
use openidconnect::RedirectUrl;
use serde::Deserialize;

use super::{App, HttpError, extract::Query, peer::Peer};
use crate::{
    auth::{
        cookie,
        oidc::{self, Attempt, Identity, Provider, Refused, is_this_machine},
        sign_in::{self, SignedIn},
    },
    clock,
    commands::{AdmitIdentity, CommandError, Giver, Target},
};

const CALLBACK: &str = "/auth/oidc/callback";

/// What a provider sends a browser back with.
#[derive(Deserialize)]
pub struct Returned {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    state: Option<String>,
    /// Why the provider lets nobody in.
    #[serde(default)]
    error: Option<String>,
}

/// Sends the browser to the provider.
pub async fn start(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let provider = provider(&app)?;
    count(&app, peer, &headers)?;
    let begun = provider.begin(redirect(&app, &headers)?).await;
    let (url, attempt) = begun.map_err(|refused| refuse(&app, &refused))?;
    let sealed = attempt.sealed(&app.services.key);
    let given = sealed.and_then(|sealed| cookie::given(oidc::COOKIE, &sealed, oidc::LIFETIME));
    let failed = || HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "the server failed");
    let given = given.ok_or_else(failed)?;
    Ok(([(header::SET_COOKIE, given)], Redirect::to(&url)).into_response())
}

/// Takes whoever comes back in, if the provider vouches for somebody who has an account here.
pub async fn callback(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Result<Response, HttpError> {
    let provider = provider(&app)?;
    count(&app, peer, &headers)?;
    let signed_in = match identity(&app, provider, &headers, returned).await {
        Ok(identity) => sign_in(&app, provider, identity).await,
        Err(refused) => Err(refuse(&app, &refused)),
    };
    // One answer for each sign-in that was begun, whatever came of it.
    let taken = cookie::taken(oidc::COOKIE);
    let mut answer = match signed_in {
        Ok(signed_in) => {
            let lifetime = app.services.limits.session_lifetime;
            let mut answer = Redirect::to("/").into_response();
            let given = cookie::given(cookie::SESSION, &signed_in.secret, lifetime);
            answer
                .headers_mut()
                .extend(given.map(|given| (header::SET_COOKIE, given)));
            answer
        }
        Err(error) => error.into_response(),
    };
    if let Some(taken) = taken {
        answer.headers_mut().append(header::SET_COOKIE, taken);
    }
    Ok(answer)
}

async fn identity(
    app: &App,
    provider: &Provider,
    headers: &HeaderMap,
    returned: Returned,
) -> Result<Identity, Refused> {
    let state = returned.state.unwrap_or_default();
    let attempt = cookie::named(headers, oidc::COOKIE)
        .and_then(|sealed| Attempt::opened(sealed, &app.services.key, &state, clock::now()))
        .ok_or(Refused::because(Reason::OidcState))?;
    let (Some(code), None) = (returned.code, returned.error) else {
        return Err(Refused::because(Reason::OidcProvider));
    };
    let redirect = redirect(app, headers).map_err(|_| Refused::because(Reason::OidcState))?;
    provider.finish(redirect, code, &attempt).await
}

async fn sign_in(app: &App, provider: &Provider, identity: Identity) -> Result<SignedIn, HttpError> {
    let services = &app.services;
    let admit = AdmitIdentity {
        identity: services.key.of_identity(&identity.issuer, &identity.subject),
        name: identity.name,
        creates_accounts: provider.creates_accounts,
    };
    let account = match services.commands.run(Giver::System, &admit).await {
        Ok(outcome) => match outcome.target {
            Target::Account(account) => account,
            _ => return Err(HttpError::not_found("account")),
        },
        Err(CommandError::NotFound(_)) => return Err(refuse(app, &Refused::because(Reason::NoAccount))),
        Err(error) => return Err(error.into()),
    };
    let proof = Proof::Identity(admit.identity);
    match sign_in::open(services, account, proof, Method::Oidc).await {
        Err(CommandError::Rejected(_) | CommandError::Unauthenticated) => {
            services.auth.refusals.note(Some(account), Reason::Blocked);
            Err(refused())
        }
        opened => Ok(opened?),
    }
}

/// Where the provider sends the browser back to.
fn redirect(app: &App, headers: &HeaderMap) -> Result<RedirectUrl, HttpError> {
    let own = match &app.doors.public_url {
        Some(own) => own.clone(),
        None => {
            let host = headers
                .get(header::HOST)
                .and_then(|host| host.to_str().ok())
                .unwrap_or_default();
            let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
            let scheme = if is_this_machine(name) { "http" } else { "https" };
            format!("{scheme}://{host}")
        }
    };
    RedirectUrl::new(format!("{own}{CALLBACK}")).map_err(|_| {
        let message = "the request does not say which host it is for";
        HttpError::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    })
}

fn provider(app: &App) -> Result<&Provider, HttpError> {
    app.oidc.as_ref().ok_or_else(|| HttpError::not_found("page"))
}

fn count(app: &App, peer: Peer, headers: &HeaderMap) -> Result<(), HttpError> {
    let Peer(peer) = peer.behind(app.doors.proxies, headers);
    app.services.auth.attempts.by_peer(peer).map_err(|often| {
        app.services.auth.refusals.note(None, Reason::TooOften);
        HttpError::too_often(often)
    })
}

/// Records why; the browser is told that it is so.
fn refuse(app: &App, refusal: &Refused) -> HttpError {
    tracing::info!(
        error = refusal as &dyn std::error::Error,
        reason = ?refusal.reason,
        "somebody was not signed in by the OpenID provider"
    );
    app.services.auth.refusals.note(None, refusal.reason);
    refused()
}

fn refused() -> HttpError {
    let message = "nobody is signed in by this; begin again at /auth/oidc/start, or ask an administrator";
    HttpError::new(StatusCode::FORBIDDEN, "SIGN_IN_REFUSED", message)
}
