//! What is refused, and how it is told: with a code that stays the same, and a message that says what would be allowed.

use harness::{Story, chart, person::like, story::what_was_read, text};
use serde_json::{Value, json};

#[tokio::test]
async fn a_command_in_the_wrong_state_is_told_the_state_and_what_it_allows() {
    let story = Story::begin().await;
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    let input = json!({ "version": version });
    let isv = &story.isv;
    isv.is_refused("publishVersion", input.clone())
        .await
        .says("WRONG_STATE", &["11.3.4 is draft", "submitVersion", "deleteVersion"]);
    story.submit(&version).await;
    let other = story.upload_chart(&chart("redis", "11.3.4")).await;
    let replace = json!({ "version": version, "upload": other });
    isv.is_refused("replacePackage", replace.clone())
        .await
        .says("WRONG_STATE", &["submitted", "withdrawVersion"]);
    isv.is_refused("deleteVersion", input.clone())
        .await
        .says("WRONG_STATE", &["submitted", "withdrawVersion"]);
    story.reviewer.does("startReview", input.clone()).await;
    story
        .reviewer
        .does("approveVersion", what_was_read(&story.reviewer, &version).await)
        .await;
    isv.is_refused("submitVersion", input.clone())
        .await
        .says("WRONG_STATE", &["approved", "publishVersion"]);
    isv.does("publishVersion", input.clone()).await;
    isv.is_refused("replacePackage", replace)
        .await
        .says("WRONG_STATE", &["published", "suspendVersion"]);
    isv.is_refused("withdrawVersion", input)
        .await
        .says("WRONG_STATE", &["published"]);
}

#[tokio::test]
async fn what_has_changed_since_it_was_read_is_not_changed_by_who_has_not_seen_it() {
    let story = Story::begin().await;
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    let seen = story
        .isv
        .ask(
            "query($id: ID!) { version(id: $id) { revision } }",
            json!({ "id": version }),
        )
        .await;
    let revision = seen["version"]["revision"].as_i64().unwrap();
    story.submit(&version).await;
    let stale = json!({ "version": version, "expectedRevision": revision });
    story
        .isv
        .is_refused("withdrawVersion", stale)
        .await
        .says("STALE_REVISION", &[&(revision + 1).to_string()]);
    story
        .isv
        .does(
            "withdrawVersion",
            json!({ "version": version, "expectedRevision": revision + 1 }),
        )
        .await;
    let absurd = json!({ "version": version, "expectedRevision": -1 });
    let refused = story.isv.attempt("submitVersion", &absurd).await.unwrap().unwrap_err();
    assert!(
        ["STALE_REVISION", "BAD_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&refused.code.as_str()),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_rejection_has_a_reason_of_a_length_that_somebody_reads() {
    let story = Story::begin().await;
    let version = story.app(&chart("redis", "11.3.4")).await.version;
    story.submit(&version).await;
    let read = what_was_read(&story.reviewer, &version).await;
    let because = |reason: &str| {
        let mut input = read.clone();
        input["reason"] = json!(reason);
        input
    };
    for empty in ["", " \n\t"] {
        story
            .reviewer
            .is_refused("rejectVersion", because(empty))
            .await
            .says("REASON_REQUIRED", &[]);
    }
    let long = "ä".repeat(4001);
    let refused = story.reviewer.is_refused("rejectVersion", because(&long)).await;
    refused.says("REASON_TOO_LONG", &["4001", "4000"]);
    assert_eq!(refused.path, ["input", "reason"]);
    let longest = story.reviewer.does("rejectVersion", because(&"ä".repeat(4000))).await;
    assert_eq!(text(&longest, "/version/decision/reason").chars().count(), 4000);
}

#[tokio::test]
async fn values_are_a_yaml_mapping_of_at_most_a_mebibyte() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let install = |name: &str, values: &str| json!({ "project": story.project, "name": name, "version": app.version, "values": values });
    let aliases: String = (0..2_000).map(|n| format!("k{n}: *a\n")).collect();
    let bomb = format!("a: &a [{}]\n{aliases}", "x, ".repeat(100_000));
    for (values, code, words) in [
        ("a: [", "VALUES_NOT_YAML", "line"),
        ("- a", "VALUES_NOT_MAPPING", "a list"),
        ("text", "VALUES_NOT_MAPPING", "a string"),
        (&bomb, "VALUES_NOT_YAML", "alias"),
    ] {
        let refused = story.user.is_refused("installRelease", install("cache", values)).await;
        refused.says(code, &[words]);
        assert_eq!(refused.path, ["input", "values"]);
    }
    let large = format!("a: {}", "x".repeat(1 << 20));
    story
        .user
        .is_refused("installRelease", install("cache", &large))
        .await
        .says("VALUES_TOO_LARGE", &["1048579", "1048576"]);
    for name in ["", "Cache", "cache_1", "-cache", "cache-", "../../etc", &"x".repeat(54)] {
        let refused = story.user.is_refused("installRelease", install(name, "a: 1")).await;
        refused.says("NAME_INVALID", &["1 to 53 characters"]);
        assert_eq!(refused.path, ["input", "name"]);
    }
}

#[tokio::test]
async fn texts_of_a_listing_have_limits_and_links_are_links() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await.app;
    let before = story.events().await;
    for (field, value, code, words) in [
        ("displayName", json!(""), "LISTING_NAME_EMPTY", &[][..]),
        ("displayName", json!("x".repeat(81)), "LISTING_TOO_LONG", &["80", "81"]),
        ("summary", json!("x".repeat(201)), "LISTING_TOO_LONG", &["200", "201"]),
        (
            "description",
            json!("x".repeat(20_001)),
            "LISTING_TOO_LONG",
            &["20000", "20001"],
        ),
        ("keywords", json!(vec!["x"; 31]), "LISTING_TOO_MANY", &["30"]),
        (
            "home",
            json!("javascript:alert(1)"),
            "LISTING_NOT_A_LINK",
            &["https://"],
        ),
        (
            "sources",
            json!(["ftp://example.org"]),
            "LISTING_NOT_A_LINK",
            &["https://"],
        ),
    ] {
        let mut input = json!({ "app": app });
        input[field] = value;
        story.isv.is_refused("editListing", input).await.says(code, words);
    }
    assert_eq!(story.events().await, before);
    let script = "Hello <script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1))";
    story
        .isv
        .does("editListing", json!({ "app": app, "description": script }))
        .await;
    let shown = story
        .isv
        .ask(
            "query($id: ID!) { app(id: $id) { draftListing { content { descriptionHtml } } } }",
            json!({ "id": app }),
        )
        .await;
    let html = text(&shown, "/app/draftListing/content/descriptionHtml");
    assert!(
        html.contains("Hello") && !["<script", "<img", "javascript:"].iter().any(|bad| html.contains(bad)),
        "{html}"
    );
}

#[tokio::test]
async fn a_chart_keeps_its_name_and_a_number_is_given_once() {
    let story = Story::begin().await;
    let app = story.app(&chart("redis", "11.3.4")).await;
    let upload = async |name: &str, version: &str| story.upload_chart(&chart(name, version)).await;
    let other_name = json!({ "app": app.app, "upload": upload("valkey", "12.0.0").await });
    story
        .isv
        .is_refused("uploadVersion", other_name)
        .await
        .says("CHART_NAME_DIFFERS", &["redis", "valkey"]);
    for same in ["11.3.4", "11.3.4+build.7"] {
        let input = json!({ "app": app.app, "upload": upload("redis", same).await });
        story
            .isv
            .is_refused("uploadVersion", input)
            .await
            .says("VERSION_EXISTS", &["11.3.4"]);
    }
    let other_number = json!({ "version": app.version, "upload": upload("redis", "11.3.5").await });
    story
        .isv
        .is_refused("replacePackage", other_number)
        .await
        .says("VERSION_DIFFERS", &["11.3.4", "11.3.5"]);
}

#[tokio::test]
async fn a_name_in_the_store_belongs_to_who_published_it_first() {
    let story = Story::begin().await;
    story.published(&chart("redis", "11.3.4")).await;
    let stranger = &story.stranger;
    let upload = stranger
        .upload(&story.foreign_workspace, "chart", chart("redis", "1.0.0").packed())
        .await;
    let theirs = stranger
        .does(
            "uploadApp",
            json!({ "workspace": story.foreign_workspace, "upload": upload }),
        )
        .await;
    let version = text(&theirs, "/app/versions/nodes/0/id");
    stranger.does("submitVersion", json!({ "version": version })).await;
    story.reviewer.does("startReview", json!({ "version": version })).await;
    story
        .reviewer
        .does("approveVersion", what_was_read(&story.reviewer, version).await)
        .await;
    stranger
        .is_refused("publishVersion", json!({ "version": version }))
        .await
        .says("NAME_TAKEN", &[]);
}

#[tokio::test]
async fn lists_are_read_in_pages_of_one_to_a_hundred_with_cursors_of_their_own() {
    let story = Story::begin().await;
    for number in 1..=5 {
        story
            .admin
            .does(
                "createCategory",
                json!({ "name": format!("Shelf {number}"), "icon": "box" }),
            )
            .await;
    }
    let page = "query($first: Int, $after: String) { auditTrail(first: $first, after: $after) { nodes { position } pageInfo { hasNextPage endCursor } } }";
    for first in [0, -1, 101] {
        let refused = story.admin.is_denied(page, json!({ "first": first })).await;
        refused.says("PAGE_SIZE", &["1 to 100", &first.to_string()]);
    }
    let inner = "{ store { nodes { app { versions(first: -1) { nodes { app { versions(first: 2147483647) { nodes { id } } } } } } } } }";
    story.admin.ask(inner, json!({})).await;
    for after in ["", "%%%", "bm9uc2Vuc2U"] {
        story
            .admin
            .is_denied(page, json!({ "after": after }))
            .await
            .says("CURSOR_INVALID", &[]);
    }
    let (mut positions, mut after) = (vec![], Value::Null);
    loop {
        let answer = story.admin.ask(page, json!({ "first": 3, "after": after })).await;
        positions.extend(
            harness::texts(&answer, "/auditTrail/nodes", "/position")
                .iter()
                .map(|p| p.parse::<usize>().unwrap()),
        );
        if answer["auditTrail"]["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        after = answer["auditTrail"]["pageInfo"]["endCursor"].clone();
    }
    let expected: Vec<_> = (0..positions.len()).rev().collect();
    assert_eq!(positions, expected, "every entry once, the newest first");
}

#[tokio::test]
async fn categories_that_are_unknown_taken_or_in_use_are_told_apart() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await.app;
    let reviewer = &story.reviewer;
    let made = reviewer
        .does("createCategory", json!({ "name": "Databases", "icon": "database" }))
        .await;
    let category = text(&made, "/category/id").to_owned();
    reviewer
        .is_refused("createCategory", json!({ "name": "dataBASES", "icon": "box" }))
        .await
        .says("NAME_TAKEN", &[]);
    for (name, icon) in [
        ("", "box"),
        (&*"x".repeat(41), "box"),
        ("Tools", ""),
        ("Tools", "../box"),
    ] {
        reviewer
            .is_refused("createCategory", json!({ "name": name, "icon": icon }))
            .await
            .says("NAME_INVALID", &[]);
    }
    let unknown = like(&category);
    reviewer
        .is_refused("assignCategory", json!({ "app": app, "category": unknown }))
        .await
        .says("NOT_FOUND", &["category"]);
    reviewer
        .is_refused("editCategory", json!({ "category": unknown, "name": "x" }))
        .await
        .says("NOT_FOUND", &["category"]);
    reviewer
        .is_refused("deleteCategory", json!({ "category": unknown }))
        .await
        .says("NOT_FOUND", &["category"]);

    story
        .isv
        .does("assignCategory", json!({ "app": app, "category": category }))
        .await;
    reviewer
        .is_refused("deleteCategory", json!({ "category": category }))
        .await
        .says("CATEGORY_NOT_EMPTY", &["1"]);
    let moved = story
        .isv
        .does("assignCategory", json!({ "app": app, "category": null }))
        .await;
    assert_eq!(moved["app"]["category"], Value::Null);
    reviewer.does("deleteCategory", json!({ "category": category })).await;
    reviewer
        .is_refused("assignCategory", json!({ "app": app, "category": category }))
        .await
        .says("NOT_FOUND", &[]);
    reviewer
        .does("createCategory", json!({ "name": "Databases", "icon": "database" }))
        .await;
}
