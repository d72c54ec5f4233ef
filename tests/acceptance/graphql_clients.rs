//! Other people's GraphQL clients and testers, against the real server.

use harness::{Person, Story, chart, graphql_testers::Workbench, story::audit_trail, text, verifiers};
use serde_json::{Value, json};

fn socket(person: &Person) -> String {
    person.url("/graphql/ws").replacen("http", "ws", 1)
}

async fn says(bench: &Workbench, script: &str, arguments: &[&str]) -> Vec<String> {
    let said = bench.run("node", &[&[script], arguments].concat()).await;
    let said = said.unwrap_or_else(|said| panic!("{script}: {said}"));
    said.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_audit_of_graphql_over_http_passes_without_a_warning() {
    let (story, bench) = (Story::begin().await, Workbench::new());
    let said = says(&bench, "audit.mjs", &[&story.nobody().url("/graphql")]).await;
    assert_eq!(said, ["61 of 61 passed"]);
}

#[tokio::test]
async fn a_graphql_ws_client_that_loses_its_connection_again_and_again_misses_nothing() {
    let (story, bench) = (Story::begin().await, Workbench::new());
    let before = story.events().await;
    let after = (before - 1).to_string();
    let happens = async {
        let app = story.app(&chart("redis", "11.3.4")).await;
        for _ in 0..10 {
            story.submit(&app.version).await;
            story
                .isv
                .does("withdrawVersion", json!({ "version": app.version }))
                .await;
        }
    };
    let url = socket(&story.admin);
    let arguments = [&url, story.admin.token(), &after, "20", "3"];
    let (followed, ()) = tokio::join!(says(&bench, "follow.mjs", &arguments), happens);
    let positions: Vec<_> = (before..before + 20).map(|position| position.to_string()).collect();
    assert_eq!(followed, positions, "each once, and in order");
}

#[tokio::test]
async fn a_graphql_ws_client_is_answered_refused_and_shut_out_by_the_protocol() {
    let (story, bench) = (Story::begin().await, Workbench::new());
    let (url, token) = (socket(&story.isv), story.isv.token());
    let viewer = "{ viewer { account { name } } }";
    let ask = async |token: &str, document: &str| -> Value {
        let said = says(&bench, "ask.mjs", &[&url, token, "9", document]).await;
        serde_json::from_str(&said.concat()).unwrap()
    };
    let named = json!({ "data": { "viewer": { "account": { "name": "isv" } } } });
    assert_eq!(ask(token, viewer).await, named);
    for (token, document, pointer, code) in [
        (
            token,
            "{ nonsense }",
            "/refused/0/extensions/code",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (token, "{", "/refused/0/extensions/code", "GRAPHQL_PARSE_FAILED"),
        ("", viewer, "/errors/0/extensions/code", "UNAUTHENTICATED"),
        (
            token,
            "subscription { events { position } }",
            "/errors/0/extensions/code",
            "FORBIDDEN",
        ),
    ] {
        assert_eq!(text(&ask(token, document).await, pointer), code, "{document}");
    }
    let closed = json!({ "closed": { "code": 4403, "reason": "the token is not valid" } });
    assert_eq!(ask("charthouse_nobody", viewer).await, closed);
}

#[tokio::test]
async fn a_socket_is_closed_with_the_code_that_the_protocol_has_for_it() {
    let (story, bench) = (Story::begin().await, Workbench::new());
    let url = socket(&story.reviewer);
    let init = json!({
        "type": "connection_init",
        "payload": { "authorization": format!("Bearer {}", story.reviewer.token()) },
    });
    let subscribe = json!({
        "type": "subscribe", "id": "a", "payload": { "query": "subscription { reviewQueueChanged { submission } }" },
    });
    let [init, subscribe] = [init.to_string(), subscribe.to_string()];
    let nonsense = format!(r#"{{"type": "{}"}}"#, "nonsense".repeat(100));
    for (messages, closed) in [
        (&[nonsense.as_str()][..], "4400 BadRequest: "),
        (&[&subscribe], "4401 Unauthorized: "),
        (
            &[&init, &subscribe, &subscribe],
            "4409 SubscriberAlreadyExists: Subscriber for a already exists",
        ),
        (&[&init, &init], "4429 TooManyInitialisationRequests: "),
    ] {
        let said = says(&bench, "closes.mjs", &[&[url.as_str()], messages].concat()).await;
        assert!(said.concat().starts_with(closed), "{messages:?}: {said:?}");
    }
}

#[tokio::test]
async fn whatever_the_schema_allows_is_answered_without_a_fault_of_the_server() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let draft = story.version(&app.app, &chart("redis", "12.0.0")).await;
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql");
    let url = story.admin.url("/graphql");
    let examples = "5";
    let ids = [&story.workspace, &story.project, &app.app, &app.version, &draft];
    let mut arguments = vec![schema, &url, story.admin.token(), examples];
    arguments.extend(ids.map(String::as_str));
    verifiers::run("fuzz_graphql.py", &arguments)
        .await
        .unwrap_or_else(|said| panic!("{said}"));
    // It is as well as it was, and has complained of nothing.
    assert!(!audit_trail(&story.admin).await.is_empty());
    let complaints = story.server.errors();
    assert!(!complaints.contains("ERROR"), "{complaints}");
}
