//! GraphQL over HTTP by the letter, and the doors beside it.

use harness::{
    Person, Story, chart,
    person::{Answer, repeatable},
    program,
    story::event_names,
    text,
};
use reqwest::{
    Method, RequestBuilder,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde_json::{Value, json};

const JSON: &str = "application/json";
const GRAPHQL_JSON: &str = "application/graphql-response+json";
const VIEWER: &str = "{ viewer { account { name } } }";

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn post(person: &Person, body: impl Into<reqwest::Body>) -> RequestBuilder {
    person
        .request(Method::POST, "/graphql")
        .header(CONTENT_TYPE, JSON)
        .body(body)
}

/// The code of a request that was not executed.
fn code(answer: &Answer) -> String {
    let body = answer.json();
    assert!(body.get("data").is_none(), "a request error has no data: {body}");
    text(&body, "/errors/0/extensions/code").to_owned()
}

#[tokio::test]
async fn a_query_is_answered_by_get_and_by_post_in_the_media_type_that_was_asked_for() {
    let story = Story::begin().await;
    let path = format!("/graphql?query={}", encoded(VIEWER));
    for (accept, media) in [
        ("*/*", JSON),
        (JSON, JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        ("text/css, application/json;q=0.5", JSON),
    ] {
        for request in [
            story.isv.request(Method::GET, &path),
            post(&story.isv, json!({ "query": VIEWER }).to_string()),
        ] {
            let answer = Answer::to(request.header(ACCEPT, accept)).await;
            assert_eq!(answer.status, 200, "{accept}");
            assert_eq!(answer.header("content-type"), format!("{media}; charset=utf-8"));
            assert_eq!(
                answer.json(),
                json!({ "data": { "viewer": { "account": { "name": "isv" } } } })
            );
        }
    }
    let refused = Answer::to(story.isv.request(Method::GET, &path).header(ACCEPT, "image/png")).await;
    assert_eq!((refused.status, code(&refused)), (406, "NOT_ACCEPTABLE".to_owned()));
}

#[tokio::test]
async fn variables_and_the_operation_name_come_by_get_too() {
    let story = Story::begin().await;
    let query = "query A { viewer { account { name } } } query B($n: Int) { store(first: $n) { nodes { chartName } } }";
    let path = format!(
        "/graphql?query={}&operationName=B&variables={}",
        encoded(query),
        encoded(r#"{"n":3}"#)
    );
    assert_eq!(
        story.isv.get(&path).await.json(),
        json!({ "data": { "store": { "nodes": [] } } })
    );
}

#[tokio::test]
async fn a_mutation_by_get_is_refused_and_changes_nothing() {
    let story = Story::begin().await;
    let before = story.events().await;
    let mutation = r#"mutation { createCategory(input: { name: "x", icon: "x" }) { position } }"#;
    let answer = story.admin.get(&format!("/graphql?query={}", encoded(mutation))).await;
    assert_eq!((answer.status, code(&answer)), (405, "METHOD_NOT_ALLOWED".to_owned()));
    assert_eq!(answer.header("allow"), "POST");
    assert_eq!(story.events().await, before);
}

#[tokio::test]
async fn forms_that_another_page_could_make_a_browser_send_are_refused() {
    let story = Story::begin().await;
    for media in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "",
    ] {
        let request = story
            .admin
            .request(Method::POST, "/graphql")
            .body(json!({ "query": VIEWER }).to_string());
        let request = if media.is_empty() {
            request
        } else {
            request.header(CONTENT_TYPE, media)
        };
        let answer = Answer::to(request).await;
        assert_eq!(
            (answer.status, code(&answer)),
            (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()),
            "{media}"
        );
    }
}

#[tokio::test]
async fn what_is_not_one_request_in_json_is_refused() {
    let story = Story::begin().await;
    let two = json!([{ "query": VIEWER }, { "query": VIEWER }]).to_string();
    for body in [
        two.as_str(),
        "{",
        "",
        "null",
        "\"{ viewer }\"",
        "{}",
        r#"{"query": 1}"#,
        r#"{"query": "{a}", "variables": []}"#,
    ] {
        let answer = Answer::to(post(&story.isv, body.to_owned())).await;
        assert_eq!(
            (answer.status, code(&answer)),
            (400, "BAD_REQUEST".to_owned()),
            "{body}"
        );
    }
    let nothing = story.isv.get("/graphql").await;
    assert_eq!((nothing.status, code(&nothing)), (400, "BAD_REQUEST".to_owned()));
}

#[tokio::test]
async fn a_document_or_body_that_is_too_large_is_refused_and_told_the_limit() {
    let story = Story::begin().await;
    let padded = |length: usize| format!("{VIEWER}{}", " ".repeat(length - VIEWER.len()));
    let largest = Answer::to(post(&story.isv, json!({ "query": padded(65_536) }).to_string())).await;
    assert_eq!(largest.status, 200);
    let answer = Answer::to(post(&story.isv, json!({ "query": padded(65_537) }).to_string())).await;
    assert_eq!((answer.status, code(&answer)), (413, "DOCUMENT_TOO_LARGE".to_owned()));
    let message = text(&answer.json(), "/errors/0/message").to_owned();
    assert!(message.contains("65537") && message.contains("65536"), "{message}");
    let body = json!({ "query": VIEWER, "variables": { "x": "y".repeat(2 << 20) } }).to_string();
    assert_eq!(Answer::to(post(&story.isv, body)).await.status, 413);
}

#[tokio::test]
async fn a_request_that_cannot_be_executed_is_400_where_the_client_knows_the_specification() {
    let story = Story::begin().await;
    let deep = format!(
        "{{ store {{ nodes {{ app {} }} }} }}",
        "{ latestVersion { app ".repeat(20) + "{ id }" + &"} }".repeat(20)
    );
    let endless = format!(
        "{{ store {{ nodes {{ app {} }} }} }}",
        "{ versions(first: 100) { nodes { app ".repeat(20) + "{ id }" + &"} } }".repeat(20)
    );
    let broad = "{ store(first: 100) { nodes { app { versions(first: 100) { nodes { app { versions(first: 100) { nodes { id } } } } } } } } }";
    let cases = [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        (&deep, "GRAPHQL_VALIDATION_FAILED"),
        (&endless, "GRAPHQL_VALIDATION_FAILED"),
        (broad, "GRAPHQL_VALIDATION_FAILED"),
        (
            "query A { viewer { account { id } } } query B { viewer { account { id } } }",
            "OPERATION_UNKNOWN",
        ),
        (
            "subscription { reviewQueueChanged { submission } }",
            "SUBSCRIPTION_NEEDS_WEB_SOCKET",
        ),
    ];
    for (query, expected) in cases {
        for (accept, status) in [(GRAPHQL_JSON, 400), (JSON, 200)] {
            let request = post(&story.isv, json!({ "query": query }).to_string()).header(ACCEPT, accept);
            let answer = Answer::to(request).await;
            assert_eq!(
                (answer.status, code(&answer).as_str()),
                (status, expected),
                "{query} as {accept}"
            );
        }
    }
}

#[tokio::test]
async fn a_browser_is_given_graphiql() {
    let story = Story::begin().await;
    let page = Answer::to(
        story
            .nobody()
            .request(Method::GET, "/graphql")
            .header(ACCEPT, "text/html,*/*;q=0.8"),
    )
    .await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text().contains("GraphiQL"));
}

#[tokio::test]
async fn the_probes_answer_without_a_token() {
    let story = Story::begin().await;
    let nobody = story.nobody();
    assert_eq!(nobody.get("/livez").await.status, 200);
    let ready = nobody.get("/readyz").await;
    assert_eq!((ready.status, ready.json()["ready"].clone()), (200, json!(true)));
    assert_eq!(nobody.get("/nowhere").await.refusal().code, "NOT_FOUND");
}

#[tokio::test]
async fn a_mutation_needs_no_command_id_and_with_one_it_is_done_once() {
    let story = Story::begin().await;
    let category = |name: &str| json!({ "name": name, "icon": "box" });
    story.admin.does("createCategory", category("Tools")).await;
    story
        .admin
        .is_refused("createCategory", category("Tools"))
        .await
        .says("NAME_TAKEN", &[]);

    let input = repeatable(category("Databases"));
    let (first, again) = (
        story.admin.does("createCategory", input.clone()),
        story.admin.does("createCategory", input.clone()),
    );
    let (first, again) = tokio::join!(first, again);
    assert_eq!(first, again, "also when both are under way at once");
    let mut other = input.clone();
    other["name"] = json!("Queues");
    story
        .admin
        .is_refused("createCategory", other)
        .await
        .says("COMMAND_REUSED", &[]);
    // Ids are an account's own.
    story
        .reviewer
        .is_refused("createCategory", input)
        .await
        .says("NAME_TAKEN", &[]);
}

#[tokio::test]
async fn a_command_given_twice_at_once_is_done_once_and_answered_alike() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "0.1.0")).await.app;
    for round in 0..10 {
        let version = story.version(&app, &chart("redis", &format!("1.0.{round}"))).await;
        let commands = [
            (
                &story.admin,
                "createCategory",
                json!({ "name": format!("Shelf {round}"), "icon": "box" }),
            ),
            (&story.isv, "submitVersion", json!({ "version": version })),
            (
                &story.isv,
                "editListing",
                json!({ "app": app, "summary": format!("round {round}") }),
            ),
            (&story.reviewer, "startReview", json!({ "version": version })),
        ];
        for (person, mutation, input) in commands {
            let input = repeatable(input);
            let again = || person.does(mutation, input.clone());
            let (one, two, three) = tokio::join!(again(), again(), again());
            assert_eq!((&one, &one), (&two, &three), "round {round}: {mutation}");
        }
    }
    let events = event_names(&story.admin).await;
    for event in ["CategoryCreated", "VersionSubmitted", "ListingEdited", "ReviewStarted"] {
        assert_eq!(events.iter().filter(|name| *name == event).count(), 10, "{event}");
    }
}

#[tokio::test]
async fn what_changed_nothing_is_answered_the_same_when_asked_again() {
    let story = Story::begin().await;
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    story.submit(&version).await;
    let again = repeatable(json!({ "version": version }));
    let first = story.isv.does("submitVersion", again.clone()).await;
    story
        .admin
        .does("createCategory", json!({ "name": "Later", "icon": "box" }))
        .await;
    assert_eq!(
        story.isv.does("submitVersion", again).await["position"],
        first["position"]
    );
}

#[tokio::test]
async fn the_checked_in_schema_is_the_programs_and_describes_everything() {
    let printed = program::command().arg("schema").output().await.unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
    let checked_in = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        checked_in == printed,
        "schema.graphql is not what the program says: run `make schema` and look at the difference"
    );

    let story = Story::begin().await;
    let query = "{ __schema { types { kind name description fields { name description args { name description } } \
        inputFields { name description } enumValues { name description } } } }";
    let schema = story.nobody().ask(query, json!({})).await;
    let mut bare = vec![];
    for kind in harness::list(&schema, "/__schema/types") {
        let name = text(kind, "/name");
        let is_the_librarys = name.starts_with("__") || name.ends_with("Connection") || name.ends_with("Edge");
        if is_the_librarys
            || [
                "PageInfo",
                "Boolean",
                "Int",
                "Float",
                "String",
                "ID",
                "Query",
                "Mutation",
                "Subscription",
            ]
            .contains(&name)
        {
            continue;
        }
        let parts =
            ["fields", "inputFields", "enumValues"].map(|part| kind[part].as_array().cloned().unwrap_or_default());
        let undescribed = |part: &&Value| part["description"].as_str().unwrap_or_default().is_empty();
        bare.extend(
            parts
                .concat()
                .iter()
                .filter(undescribed)
                .map(|part| format!("{name}.{}", part["name"])),
        );
        if undescribed(&kind) {
            bare.push(name.to_owned());
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:?}");
}
