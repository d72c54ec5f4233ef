//! What the schema does with a whole server behind it.

mod statements;

use std::{sync::Arc, time::Duration};

use async_graphql::{Data, Executor as _, Request, Response};
use domain::{
    account::Proof,
    digest::Digest,
    ids::{AccountId, SessionId, TokenId},
    session::Method,
};
use futures_util::{Stream, StreamExt as _};
use tempfile::TempDir;
use uuid::Uuid;

use super::{Schema, schema};
use crate::{
    auth::{self, Credentials},
    clock,
    commands::{
        CloseSession, Command, CreateAccount, Giver, IssueToken, LinkIdentity, OpenSession, Outcome, RevokeRole,
        RevokeToken, Target,
    },
    config::{DataFolder, Limits, Log},
    effects::Previews,
    freshness::Freshness,
    services::Services,
};

const EVENTS: &str = r#"subscription { events(after: "0") { position } }"#;

/// A server with one auditor.
struct Fixture {
    services: Services,
    schema: Schema,
    auditor: AccountId,
    _folder: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder {
            root: folder.path().join("data"),
            master_key: None,
            log: Log::default(),
        };
        let services = Services::open(data, Limits::from_environment()).await.unwrap();
        let create = CreateAccount {
            name: "ada".parse().unwrap(),
            role: Some("auditor".parse().unwrap()),
            password: None,
        };
        let outcome = services.commands.run(Giver::System, &create).await.unwrap();
        let Target::Account(auditor) = outcome.target else {
            panic!("an account is made");
        };
        Self {
            schema: Self::schema(&services),
            services,
            auditor,
            _folder: folder,
        }
    }

    fn schema(services: &Services) -> Schema {
        schema(services.clone(), Previews::new("helm".into(), &services.limits))
    }

    async fn does(&self, command: &impl Command) -> Outcome {
        let outcome = self.services.commands.run(Giver::System, command).await.unwrap();
        self.services
            .views
            .reached(self.services.log.head().await.unwrap().size)
            .await;
        outcome
    }

    async fn token(&self, token: TokenId, text: &str) -> Credentials {
        let secret = auth::secret_of(text);
        let issue = IssueToken {
            account: self.auditor,
            token,
            name: None,
            permissions: None,
            expires: None,
            secret,
        };
        self.does(&issue).await;
        Credentials::Token(secret)
    }

    /// As on a socket that was opened with the credentials.
    fn on_socket(&self, credentials: Credentials, query: &str) -> impl Stream<Item = Response> + Unpin + use<> {
        let mut session = Data::default();
        session.insert(credentials);
        self.schema.execute_stream(Request::new(query), Some(Arc::new(session)))
    }
}

fn code(answer: &Response) -> Option<String> {
    let code = answer.errors.first()?.extensions.as_ref()?.get("code")?;
    Some(code.to_string().trim_matches('"').to_owned())
}

fn token_id(n: u128) -> TokenId {
    TokenId::from_uuid(Uuid::from_u128(n))
}

#[tokio::test]
async fn a_closed_session_ends_its_subscriptions_and_opens_nothing_on_its_socket() {
    let server = Fixture::new().await;
    let (account, identity) = (server.auditor, Digest::from_bytes([1; 32]));
    server.does(&LinkIdentity { account, identity }).await;
    let (session, secret) = (SessionId::from_uuid(Uuid::from_u128(1)), auth::secret_of("one"));
    let open = OpenSession {
        account,
        session,
        secret,
        method: Method::Oidc,
        expires: clock::after(Duration::from_secs(3600)).unwrap(),
        proof: Proof::Identity(identity),
    };
    server.does(&open).await;
    let credentials = Credentials::Session(secret);
    let mut events = server.on_socket(credentials, EVENTS);
    assert_eq!(code(&events.next().await.unwrap()), None);

    server.does(&CloseSession { session }).await;
    let last = events
        .skip_while(|answer| std::future::ready(answer.is_ok()))
        .next()
        .await;
    assert_eq!(code(&last.unwrap()).as_deref(), Some("UNAUTHENTICATED"));
    let refused = server.on_socket(credentials, EVENTS).next().await.unwrap();
    assert_eq!(code(&refused).as_deref(), Some("UNAUTHENTICATED"));
}

#[tokio::test]
async fn a_revoked_token_ends_its_subscriptions_and_opens_nothing_on_its_socket() {
    let server = Fixture::new().await;
    let credentials = server.token(token_id(1), "one").await;
    let mut events = server.on_socket(credentials, EVENTS);
    assert_eq!(code(&events.next().await.unwrap()), None);

    let (account, token) = (server.auditor, token_id(1));
    server.does(&RevokeToken { account, token }).await;
    // What was read before the revocation may still be said, but not the revocation itself.
    let last = events
        .skip_while(|answer| std::future::ready(answer.is_ok()))
        .next()
        .await;
    assert_eq!(code(&last.unwrap()).as_deref(), Some("UNAUTHENTICATED"));
    for query in ["{ viewer { account { id } } }", EVENTS] {
        let refused = server.on_socket(credentials, query).next().await.unwrap();
        assert_eq!(code(&refused).as_deref(), Some("UNAUTHENTICATED"), "{query}");
    }
}

#[tokio::test]
async fn a_revoked_role_ends_what_it_opened() {
    let server = Fixture::new().await;
    let credentials = server.token(token_id(1), "one").await;
    let mut events = server.on_socket(credentials, EVENTS);
    assert_eq!(code(&events.next().await.unwrap()), None);
    let revoke = RevokeRole {
        account: server.auditor,
        role: "auditor".parse().unwrap(),
        scope: domain::account::Scope::Platform {},
    };
    server.does(&revoke).await;
    let mut rest = events.skip_while(|answer| std::future::ready(answer.is_ok()));
    assert_eq!(code(&rest.next().await.unwrap()).as_deref(), Some("FORBIDDEN"));
    assert!(rest.next().await.is_none(), "nothing is said after it");
}

#[tokio::test]
async fn a_server_that_lost_sight_of_its_log_answers_nothing_on_its_sockets() {
    let mut server = Fixture::new().await;
    let credentials = server.token(token_id(1), "one").await;
    // Nobody asks for the end of the log any more, and what was seen of it is too old at once.
    server.services.freshness = Freshness::new(Duration::ZERO);
    server.schema = Fixture::schema(&server.services);
    for query in ["{ viewer { account { id } } }", EVENTS] {
        let refused = server.on_socket(credentials, query).next().await.unwrap();
        assert_eq!(code(&refused).as_deref(), Some("LOG_UNAVAILABLE"), "{query}");
    }
}

#[tokio::test]
async fn the_limits_hold_for_whichever_way_a_document_comes_in() {
    let server = Fixture::new().await;
    let fragments: String = (0..20)
        .map(|n| format!("fragment f{n} on Query {{ ...f{0} ...f{0} }} ", n + 1))
        .collect();
    let growing = format!("{{ ...f0 }} {fragments} fragment f20 on Query {{ __typename }}");
    let mut parsed = Request::new(growing.as_str());
    parsed.set_parsed_query(async_graphql::parser::parse_query(&growing).unwrap());
    let long = format!(
        "{{ __typename }}{}",
        " ".repeat(server.services.limits.document_max_bytes)
    );
    let on_socket = |query: &str| server.on_socket(Credentials::Absent, query);
    for (answer, expected) in [
        (server.schema.execute(parsed).await, "GRAPHQL_VALIDATION_FAILED"),
        (
            server.schema.execute(growing.as_str()).await,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (on_socket(&growing).next().await.unwrap(), "GRAPHQL_VALIDATION_FAILED"),
        (on_socket(&long).next().await.unwrap(), "DOCUMENT_TOO_LARGE"),
        (on_socket("{").next().await.unwrap(), "GRAPHQL_PARSE_FAILED"),
    ] {
        assert_eq!(code(&answer).as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn the_future_of_the_log_cannot_be_subscribed_to() {
    let server = Fixture::new().await;
    let credentials = server.token(token_id(1), "one").await;
    let query = format!(r#"subscription {{ events(after: "{}") {{ position }} }}"#, u64::MAX);
    let refused = server.on_socket(credentials, &query).next().await.unwrap();
    assert_eq!(code(&refused).as_deref(), Some("POSITION_IN_FUTURE"));
}
