//! Queries that mean harm: each is refused by a code or answered within bounds, and nobody else notices.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness::{
    Person, Story, chart,
    person::{Answer, fresh_id},
    text,
};
use reqwest::{Method, header};
use serde_json::{Value, json};

const SEARCH: &str = "query($s: String) { store(search: $s) { nodes { chartName } } }";
const MIB: u64 = 1 << 20;

/// A body as it goes over the wire, which may be no JSON at all.
async fn send(person: &Person, body: String) -> Answer {
    let request = person.request(Method::POST, "/graphql");
    let request = request
        .header(header::CONTENT_TYPE, "application/json")
        // One that waited for too long is closed by the server, perhaps just when it is used again.
        .header(header::CONNECTION, "close")
        .header(header::ACCEPT, "application/graphql-response+json");
    Answer::to(request.body(body)).await
}

fn asking(query: &str) -> String {
    json!({ "query": query }).to_string()
}

fn searching(words: &str) -> String {
    json!({ "query": SEARCH, "variables": { "s": words } }).to_string()
}

fn many(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

/// What it is called, the body, and the code it is refused with, if it is.
type Case = (&'static str, String, Option<&'static str>);

fn cases() -> Vec<Case> {
    const PARSE: Option<&str> = Some("GRAPHQL_PARSE_FAILED");
    const VALID: Option<&str> = Some("GRAPHQL_VALIDATION_FAILED");
    let nested =
        |open: &str, inner: &str, close: &str, levels: usize| open.repeat(levels) + inner + &close.repeat(levels);
    let list = |levels| nested("[", "", "]", levels);
    let variables = |value: &str| format!("{{\"query\":{},\"variables\":{{\"s\":{value}}}}}", json!(SEARCH));
    let doubling = many(26, |n| format!("fragment f{n} on Query {{ ...f{0} ...f{0} }} ", n + 1));
    let introspected = nested("fields { type { ", "name", " } }", 10);
    vec![
        ("deep selections", asking(&nested("{a", "", "}", 20_000)), PARSE),
        ("deep and never closed", asking(&"{a".repeat(32_000)), PARSE),
        (
            "a deep list",
            asking(&format!(
                "{{ store(search: {}) {{ nodes {{ chartName }} }} }}",
                list(30_000)
            )),
            PARSE,
        ),
        (
            "a deep object",
            asking(&format!("{{ a(b: {}) }}", nested("{c:", "1", "}", 15_000))),
            PARSE,
        ),
        (
            "a deep type",
            asking(&format!("query($a: {}) {{ epoch }}", nested("[", "Int", "]", 30_000))),
            PARSE,
        ),
        ("a deep variable", variables(&list(100_000)), Some("BAD_REQUEST")),
        (
            "a variable that is as deep as JSON may be",
            variables(&list(120)),
            VALID,
        ),
        (
            "aliases",
            asking(&format!("{{ {} }}", many(3_000, |n| format!("a{n}: epoch ")))),
            VALID,
        ),
        (
            "directives",
            asking(&format!("{{ epoch {} }}", "@include(if: true) ".repeat(3_000))),
            VALID,
        ),
        (
            "many operations",
            asking(&many(2_500, |n| format!("query A{n} {{ epoch }} "))),
            Some("OPERATION_UNKNOWN"),
        ),
        (
            "fragments that double",
            asking(&format!("{{ ...f0 }} {doubling} fragment f26 on Query {{ epoch }}")),
            VALID,
        ),
        (
            "fragments that spread each other",
            asking("{ ...a } fragment a on Query { epoch ...b } fragment b on Query { epoch ...a }"),
            VALID,
        ),
        (
            "a broad list again and again",
            asking(&format!("{{ {} }}", "store { nodes { chartName } } ".repeat(2_000))),
            VALID,
        ),
        (
            "introspection without end",
            asking(&format!("{{ __schema {{ types {{ {introspected} }} }} }}")),
            VALID,
        ),
        (
            "variables that nothing uses",
            asking(&format!(
                "query({}) {{ epoch }}",
                many(3_000, |n| format!("$a{n}: Int "))
            )),
            VALID,
        ),
        (
            "a wide document",
            asking(&format!("{{ {} }}", "epoch ".repeat(10_000))),
            None,
        ),
        (
            "a comment",
            asking(&format!("{{ epoch #{}\n }}", "x".repeat(60_000))),
            None,
        ),
        ("a long word", searching(&"a".repeat(1_000_000)), None),
        ("many words", searching(&many(100_000, |n| format!("word{n} "))), None),
        (
            "a search in the index's own language",
            searching("\" OR 1=1 -- NEAR(a b) ^ * : {x} \0"),
            None,
        ),
        (
            "too many bytes",
            searching(&"a".repeat(3_000_000)),
            Some("REQUEST_TOO_LARGE"),
        ),
        ("half of it", "{\"query\": \"{ epo".to_owned(), Some("BAD_REQUEST")),
    ]
}

#[tokio::test]
async fn documents_that_mean_harm_are_refused_by_a_code_and_cost_neither_memory_nor_others() {
    let story = Story::begin().await;
    story.published(&chart("redis", "11.3.4")).await;
    let barrage = async || {
        for (what, body, code) in cases() {
            let answer = send(&story.stranger, body).await;
            let said = answer.json();
            let found = said.pointer("/errors/0/extensions/code").and_then(Value::as_str);
            assert_eq!(found, code, "{what}: {} {:.300}", answer.status, answer.text());
            assert!(answer.status < 500, "{what}");
            assert!(answer.body.len() as u64 <= MIB, "{what}: {} bytes", answer.body.len());
        }
    };
    barrage().await;
    let before = story.server.memory();
    let others = async {
        for _ in 0..200 {
            let shown = story.user.ask("{ store { nodes { chartName } } }", json!({})).await;
            assert_eq!(text(&shown, "/store/nodes/0/chartName"), "redis");
        }
    };
    tokio::join!(
        async {
            for _ in 0..3 {
                barrage().await;
            }
        },
        barrage(),
        barrage(),
        others,
    );
    let grown = story.server.memory().saturating_sub(before);
    assert!(grown < 128 * MIB, "it grew by {} MiB", grown / MIB);
}

#[tokio::test]
async fn a_document_that_is_no_graphql_is_told_where_and_not_shown_again() {
    let story = Story::begin().await;
    let padding = " ".repeat(60_000);
    let answer = send(&story.isv, asking(&format!("{{ store {padding} ( }}"))).await;
    let said = answer.json();
    let message = text(&said, "/errors/0/message");
    assert!(message.starts_with("line 1, column 600"), "{message}");
    assert!(message.len() < 500, "{} bytes", message.len());
}

#[tokio::test]
async fn cursors_lead_on_only_in_the_epoch_and_to_whom_they_are_of() {
    let story = Story::begin().await;
    for version in ["1.0.0", "1.0.1", "1.0.2"] {
        let app = story.app(&chart(&format!("chart-{}", &version[4..]), version)).await;
        story.publish(&app.version).await;
    }
    let lists = [
        ("store", "store(first: 1, after: $after) { pageInfo { endCursor } }"),
        (
            "auditTrail",
            "auditTrail(first: 1, after: $after) { pageInfo { endCursor } }",
        ),
        (
            "decisions",
            "decisions(first: 1, after: $after) { pageInfo { endCursor } }",
        ),
    ];
    for (name, list) in lists {
        let query = format!("query($after: String) {{ {list} }}");
        let first = story.admin.ask(&query, json!({})).await;
        let cursor = text(&first, &format!("/{name}/pageInfo/endCursor")).to_owned();
        story.admin.ask(&query, json!({ "after": cursor })).await;

        let inside = String::from_utf8(URL_SAFE_NO_PAD.decode(&cursor).unwrap()).unwrap();
        let (_, key) = inside.split_once('.').unwrap();
        let elsewhere = URL_SAFE_NO_PAD.encode(format!("00000000.{key}"));
        let garbled = URL_SAFE_NO_PAD.encode(inside.replace(key, "x'); DROP TABLE store_entry; --"));
        let long = URL_SAFE_NO_PAD.encode(format!("{inside}{}", "9".repeat(100_000)));
        for (after, code) in [
            (elsewhere.as_str(), "EPOCH_CHANGED"),
            (&garbled, "CURSOR_INVALID"),
            (&long, "CURSOR_INVALID"),
            ("", "CURSOR_INVALID"),
            ("x", "CURSOR_INVALID"),
            (&key.repeat(3), "CURSOR_INVALID"),
        ] {
            let refused = story.admin.is_denied(&query, json!({ "after": after })).await;
            assert_eq!(refused.code, code, "{name} after {after:.40}");
        }
    }
}

#[tokio::test]
async fn moments_that_never_were_are_told_from_those_that_are_still_to_come() {
    let story = Story::begin_with(&["--read-wait", "100ms"]).await;
    let as_of = "query($at: AsOf) { store(asOf: $at) { nodes { chartName } } }";
    let at_least = "query($at: AtLeast) { store(atLeast: $at) { nodes { chartName } } }";
    let last = u64::MAX.to_string();
    for (query, at, code) in [
        (as_of, json!({ "position": last }), "AS_OF_FUTURE"),
        (as_of, json!({ "position": "1000000" }), "AS_OF_FUTURE"),
        (as_of, json!({ "time": "2999-01-01T00:00:00Z" }), "AS_OF_FUTURE"),
        (as_of, json!({ "time": "+262142-12-31T23:59:59Z" }), "AS_OF_FUTURE"),
        (as_of, json!({ "time": "1969-12-31T23:59:59Z" }), "AS_OF_BEFORE_LOG"),
        (as_of, json!({ "time": "-262143-01-01T00:00:00Z" }), "AS_OF_BEFORE_LOG"),
        (as_of, json!({ "position": "-1" }), "BAD_INPUT"),
        (as_of, json!({ "position": "18446744073709551616" }), "BAD_INPUT"),
        (as_of, json!({ "time": "yesterday" }), "GRAPHQL_VALIDATION_FAILED"),
        (as_of, json!({}), "GRAPHQL_VALIDATION_FAILED"),
        (
            as_of,
            json!({ "position": "1", "time": "2026-01-01T00:00:00Z" }),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (at_least, json!({ "position": last }), "VIEWS_BEHIND"),
        (
            at_least,
            json!({ "position": "0", "epoch": fresh_id() }),
            "EPOCH_CHANGED",
        ),
        (
            at_least,
            json!({ "position": last, "epoch": fresh_id() }),
            "EPOCH_CHANGED",
        ),
    ] {
        let refused = story.admin.is_denied(query, json!({ "at": at })).await;
        assert_eq!(refused.code, code, "{at}: {refused:?}");
    }
}
