//! Signing in by an `OpenID` provider: authorization code with PKCE (RFC 7636), `OpenID` Connect Core 1.0.
//!
//! A browser is sent to the provider with a state, a nonce and a challenge; what they were is sealed in its cookie for ten
//! minutes, so there is no table of sign-ins that were begun. What comes back is believed only with all of them, in the
//! words of this provider, for this client, under its asymmetric keys.

mod attempt;
mod http;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::{names::AccountName, refusal::Reason};
use futures_util::future::BoxFuture;
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, Scope,
    SignatureVerificationError, TokenResponse as _,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreJwsSigningAlgorithm, CoreProviderMetadata,
        CoreTokenResponse, CoreUserInfoClaims,
    },
};

use self::http::Client;
pub use self::{
    attempt::{Attempt, COOKIE, LIFETIME},
    http::is_this_machine,
};
use crate::{
    clock,
    config::{NameClaim, OidcOptions},
};

/// How long what a provider says of itself, and its keys, are believed.
const METADATA_LIFETIME: Duration = Duration::from_secs(300);
/// Signatures that only the provider can make: no `none`, and none by a secret that this client knows as well.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 10] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EcdsaP521Sha512,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Relying =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The provider that was named, and this server as its client.
pub struct Provider {
    issuer: IssuerUrl,
    client: ClientId,
    secret: Option<ClientSecret>,
    name_claim: NameClaim,
    /// Whether whoever it vouches for gets an account.
    pub creates_accounts: bool,
    http: Client,
    metadata: Mutex<Option<(CoreProviderMetadata, Instant)>>,
}

/// Whom the provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
    /// What their account would be called, if that is a name.
    pub name: Option<AccountName>,
}

/// Why nobody is signed in. The browser is told nothing of it.
#[derive(Debug, thiserror::Error)]
#[error("the provider's answer is refused")]
pub struct Refused {
    pub reason: Reason,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("the issuer is no address")]
    Issuer(#[source] openidconnect::url::ParseError),
    #[error("the issuer must be reached by https; http is for this machine alone")]
    Insecure,
    #[error("the client's secret could not be read from {}", path.display())]
    Secret {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("there can be no HTTP client")]
    Http(#[source] reqwest::Error),
}

impl Refused {
    #[must_use]
    pub const fn because(reason: Reason) -> Self {
        Self { reason, source: None }
    }

    fn by(reason: Reason, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        let source = Some(Box::new(source) as _);
        Self { reason, source }
    }

    fn provider(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::by(Reason::OidcProvider, source)
    }
}

impl Provider {
    /// The provider that the options name; `None` if they name none.
    ///
    /// # Errors
    ///
    /// [`ProviderError`] if it could never be asked. Whether it answers is found out when somebody signs in.
    pub fn new(options: &OidcOptions) -> Result<Option<Self>, ProviderError> {
        let (Some(issuer), Some(client)) = (&options.issuer, &options.client_id) else {
            return Ok(None);
        };
        let issuer = IssuerUrl::new(issuer.clone()).map_err(ProviderError::Issuer)?;
        if !http::is_safe(issuer.url()) {
            return Err(ProviderError::Insecure);
        }
        Ok(Some(Self {
            issuer,
            client: ClientId::new(client.clone()),
            secret: options.secret()?.map(ClientSecret::new),
            name_claim: options.name_claim,
            creates_accounts: options.creates_accounts,
            http: Client::new().map_err(ProviderError::Http)?,
            metadata: Mutex::default(),
        }))
    }

    /// Where to send a browser, and what to remember of it.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the provider cannot be asked.
    pub fn begin(&self, redirect: RedirectUrl) -> BoxFuture<'_, Result<(String, Attempt), Refused>> {
        Box::pin(self.sent(redirect))
    }

    async fn sent(&self, redirect: RedirectUrl) -> Result<(String, Attempt), Refused> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let relying = self.relying(redirect).await?;
        let (url, state, nonce) = relying
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(["profile", "email"].map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        Ok((url.into(), Attempt::new(&state, &nonce, &verifier)))
    }

    /// Whom the provider vouches for, by the code that the browser brought back.
    ///
    /// # Errors
    ///
    /// [`Refused`] names what is wrong with the provider's answer.
    pub fn finish<'a>(
        &'a self,
        redirect: RedirectUrl,
        code: String,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Identity, Refused>> {
        Box::pin(self.vouched(redirect, code, attempt))
    }

    async fn vouched(&self, redirect: RedirectUrl, code: String, attempt: &Attempt) -> Result<Identity, Refused> {
        let relying = self.relying(redirect.clone()).await?;
        let exchange = relying
            .exchange_code(AuthorizationCode::new(code))
            .map_err(Refused::provider)?
            .set_pkce_verifier(attempt.verifier());
        let tokens = exchange.request_async(&self.http).await;
        let tokens = tokens.map_err(|error| match &error {
            openidconnect::RequestTokenError::Parse(..) => Refused::because(Reason::OidcMalformed),
            _ => Refused::because(Reason::OidcProvider),
        })?;
        let (claims, relying) = match self.claims(&relying, &tokens, attempt) {
            // The provider may have changed its keys since it was asked for them.
            Err(refused) if refused.reason == Reason::OidcSignature => {
                self.forget();
                let relying = self.relying(redirect).await?;
                (self.claims(&relying, &tokens, attempt)?, relying)
            }
            claims => (claims?, relying),
        };
        let name = match self.name_in_token(&claims) {
            Some(name) => Some(name),
            None => self.name_from_provider(&relying, &tokens, &claims).await?,
        };
        Ok(Identity {
            issuer: claims.issuer().to_string(),
            subject: claims.subject().to_string(),
            name: name.and_then(|name| name.to_lowercase().parse().ok()),
        })
    }

    fn claims(
        &self,
        relying: &Relying,
        tokens: &CoreTokenResponse,
        attempt: &Attempt,
    ) -> Result<CoreIdTokenClaims, Refused> {
        let token = tokens.id_token().ok_or(Refused::because(Reason::OidcMalformed))?;
        let verifier = relying
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(clock::now);
        let claims = token.claims(&verifier, &attempt.nonce());
        claims.cloned().map_err(|error| Refused::by(reason(&error), error))
    }

    fn name_in_token(&self, claims: &CoreIdTokenClaims) -> Option<String> {
        match self.name_claim {
            NameClaim::PreferredUsername => claims.preferred_username().map(|name| name.to_string()),
            NameClaim::Email if claims.email_verified() == Some(true) => claims.email().map(|email| email.to_string()),
            NameClaim::Email => None,
        }
    }

    /// Many providers tell names only when they are asked again.
    async fn name_from_provider(
        &self,
        relying: &Relying,
        tokens: &CoreTokenResponse,
        claims: &CoreIdTokenClaims,
    ) -> Result<Option<String>, Refused> {
        let subject = Some(claims.subject().clone());
        let Ok(request) = relying.user_info(tokens.access_token().clone(), subject) else {
            return Ok(None);
        };
        let said: CoreUserInfoClaims = request.request_async(&self.http).await.map_err(|error| match error {
            openidconnect::UserInfoError::ClaimsVerification(error) => Refused::by(reason(&error), error),
            _ => Refused::because(Reason::OidcProvider),
        })?;
        Ok(match self.name_claim {
            NameClaim::PreferredUsername => said.preferred_username().map(|name| name.to_string()),
            NameClaim::Email if said.email_verified() == Some(true) => said.email().map(|email| email.to_string()),
            NameClaim::Email => None,
        })
    }

    async fn relying(&self, redirect: RedirectUrl) -> Result<Relying, Refused> {
        let metadata = match self.known() {
            Some(metadata) => metadata,
            None => self.discover().await?,
        };
        let client = CoreClient::from_provider_metadata(metadata, self.client.clone(), self.secret.clone());
        Ok(client.set_redirect_uri(redirect))
    }

    fn known(&self) -> Option<CoreProviderMetadata> {
        let known = self.metadata.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = known.as_ref().filter(|(_, at)| at.elapsed() < METADATA_LIFETIME);
        fresh.map(|(metadata, _)| metadata.clone())
    }

    fn forget(&self) {
        *self.metadata.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn discover(&self) -> Result<CoreProviderMetadata, Refused> {
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await;
        let metadata = found.map_err(|error| match &error {
            // It says that it is somebody else.
            openidconnect::DiscoveryError::Validation(_) => Refused::because(Reason::OidcIssuer),
            _ => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the OpenID provider could not be asked"
                );
                Refused::because(Reason::OidcProvider)
            }
        })?;
        let mut known = self.metadata.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((metadata.clone(), Instant::now()));
        Ok(metadata)
    }
}

const fn reason(error: &ClaimsVerificationError) -> Reason {
    match error {
        ClaimsVerificationError::Expired(_) => Reason::OidcExpired,
        ClaimsVerificationError::InvalidAudience(_) => Reason::OidcAudience,
        ClaimsVerificationError::InvalidIssuer(_) => Reason::OidcIssuer,
        ClaimsVerificationError::InvalidNonce(_) => Reason::OidcNonce,
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::DisallowedAlg(_)
            | SignatureVerificationError::UnsupportedAlg(_)
            | SignatureVerificationError::NoSignature,
        ) => Reason::OidcAlgorithm,
        ClaimsVerificationError::SignatureVerification(_) => Reason::OidcSignature,
        _ => Reason::OidcMalformed,
    }
}
