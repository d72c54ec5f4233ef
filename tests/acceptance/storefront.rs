//! What the store shows: by words, by shelf, and only what is published and not suspended.

use harness::{
    Story, chart,
    questions::{STORE, queue_length, stage, status, store},
    text,
};
use serde_json::{Value, json};

#[tokio::test]
async fn an_app_is_found_by_words_of_its_listing_and_readme_and_on_its_shelf() {
    let story = Story::begin().await;
    let readme = "# Cache\n\nEvicts the least recently used.\n";
    let app = story
        .published(&chart("redis", "11.3.4").file("README.md", readme))
        .await;
    story.published(&chart("postgres", "1.0.0")).await;
    for (search, found) in [
        ("red", vec!["redis"]),
        ("evicts rec", vec!["redis"]),
        ("keeps", vec!["postgres", "redis"]),
        ("mysql", vec![]),
    ] {
        assert_eq!(store(&story.user, json!({ "search": search })).await, found, "{search}");
    }
    for hostile in ["\"", "a\" OR *", "NEAR(", "*", "-", "col:x", "'; DROP TABLE apps; --"] {
        store(&story.user, json!({ "search": hostile })).await;
    }

    let made = story
        .reviewer
        .does("createCategory", json!({ "name": "Databases", "icon": "database" }))
        .await;
    let category = text(&made, "/category/id");
    let shelved = story
        .reviewer
        .does("assignCategory", json!({ "app": app.app, "category": category }))
        .await;
    assert_eq!(text(&shelved, "/app/category/name"), "Databases");
    assert_eq!(store(&story.user, json!({ "category": category })).await, ["redis"]);
    assert_eq!(store(&story.user, json!({ "uncategorised": true })).await, ["postgres"]);
    let counts = "{ categories { uncategorisedApps nodes { name icon apps } } }";
    let counted = story.user.ask(counts, json!({})).await["categories"].take();
    assert_eq!(
        counted,
        json!({ "uncategorisedApps": 1, "nodes": [{ "name": "Databases", "icon": "database", "apps": 1 }] })
    );

    let renamed = story
        .reviewer
        .does("editCategory", json!({ "category": category, "name": "Data stores" }))
        .await;
    assert_eq!(
        (text(&renamed, "/category/name"), text(&renamed, "/category/icon")),
        ("Data stores", "database")
    );
    story
        .reviewer
        .does("assignCategory", json!({ "app": app.app, "category": null }))
        .await;
    let deleted = story
        .reviewer
        .does("deleteCategory", json!({ "category": category }))
        .await;
    assert_eq!(text(&deleted, "/deletedCategory"), category);
    let counted = story.user.ask(counts, json!({})).await["categories"].take();
    assert_eq!(counted, json!({ "uncategorisedApps": 2, "nodes": [] }));
}

#[tokio::test]
async fn a_suspended_version_leaves_the_store_to_the_one_before_it_and_comes_back() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let next = story.version(&app.app, &chart("redis", "12.0.0")).await;
    story.publish(&next).await;
    let latest = async || {
        let found = story.user.ask(STORE, json!({})).await;
        text(&found, "/store/nodes/0/latestVersion/number").to_owned()
    };
    assert_eq!(latest().await, "12.0.0");

    let suspended = story
        .reviewer
        .does("suspendVersion", json!({ "version": next, "reason": "CVE-2026-1" }))
        .await;
    assert_eq!(text(&suspended, "/version/stage"), "SUSPENDED");
    assert_eq!(text(&suspended, "/version/suspension/authority"), "STORE");
    assert_eq!(latest().await, "11.3.4");
    story
        .isv
        .is_refused("resumeVersion", json!({ "version": next }))
        .await
        .says("SUSPENDED_BY_STORE", &[]);
    assert_eq!(stage(&story.isv, &next).await, "SUSPENDED");
    let resumed = story.reviewer.does("resumeVersion", json!({ "version": next })).await;
    assert_eq!(text(&resumed, "/version/stage"), "PUBLISHED");
    assert_eq!(latest().await, "12.0.0");

    let own = story.isv.does("suspendVersion", json!({ "version": next })).await;
    assert_eq!(text(&own, "/version/suspension/authority"), "OWNER");
    assert_eq!(
        text(
            &story.isv.does("resumeVersion", json!({ "version": next })).await,
            "/version/stage"
        ),
        "PUBLISHED"
    );
}

#[tokio::test]
async fn a_suspended_app_is_out_of_the_store_and_resuming_it_spares_versions_suspended_one_by_one() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let next = story.version(&app.app, &chart("redis", "12.0.0")).await;
    story.publish(&next).await;
    story.reviewer.does("suspendVersion", json!({ "version": next })).await;

    let suspended = story
        .reviewer
        .does("suspendApp", json!({ "app": app.app, "reason": "under investigation" }))
        .await;
    assert_eq!(
        (
            text(&suspended, "/app/status"),
            text(&suspended, "/app/suspension/reason")
        ),
        ("SUSPENDED", "under investigation")
    );
    assert!(store(&story.user, json!({})).await.is_empty());
    let hidden = story
        .user
        .ask("query($id: ID!) { app(id: $id) { id } }", json!({ "id": app.app }))
        .await;
    assert_eq!(hidden["app"], Value::Null);
    assert_eq!(
        status(&story.isv, &app.app).await,
        "SUSPENDED",
        "its owner sees it still"
    );
    let third = story.version(&app.app, &chart("redis", "13.0.0")).await;
    story.approve(&third).await;
    story
        .isv
        .is_refused("publishVersion", json!({ "version": third }))
        .await
        .says("APP_SUSPENDED", &[]);

    let resumed = story.reviewer.does("resumeApp", json!({ "app": app.app })).await;
    assert_eq!(text(&resumed, "/app/status"), "PUBLISHED");
    assert_eq!(text(&resumed, "/app/latestVersion/number"), "11.3.4");
    assert_eq!(stage(&story.isv, &next).await, "SUSPENDED");
    assert_eq!(store(&story.user, json!({})).await, ["redis"]);
}

#[tokio::test]
async fn an_edited_listing_reaches_the_store_only_through_a_review_of_its_own() {
    let story = Story::begin().await;
    let (isv, reviewer) = (&story.isv, &story.reviewer);
    let app = story.published(&chart("redis", "11.3.4")).await.app;
    isv.is_refused("submitListing", json!({ "app": app }))
        .await
        .says("LISTING_UNCHANGED", &[]);
    isv.does("editListing", json!({ "app": app, "displayName": "Redis" }))
        .await;
    assert_eq!(store(&story.user, json!({})).await, ["redis"], "an edit is a draft");

    let submitted = isv.does("submitListing", json!({ "app": app })).await;
    let review = &submitted["app"]["listingReview"];
    assert_eq!(queue_length(reviewer).await, 1);
    reviewer.does("startListingReview", json!({ "app": app })).await;
    let read = json!({ "app": app, "submission": review["submission"], "listingDigest": review["listing"]["digest"] });
    let mut with_reason = read.clone();
    with_reason["reason"] = json!("Too short.");
    reviewer.does("rejectListing", with_reason).await;
    assert_eq!(
        (queue_length(reviewer).await, store(&story.user, json!({})).await),
        (0, vec!["redis".to_owned()])
    );

    isv.does("editListing", json!({ "app": app, "displayName": "Redis, by Acme" }))
        .await;
    let submitted = isv.does("submitListing", json!({ "app": app })).await;
    reviewer
        .is_refused("approveListing", read)
        .await
        .says("STALE_SUBMISSION", &[]);
    reviewer.does("startListingReview", json!({ "app": app })).await;
    let review = &submitted["app"]["listingReview"];
    let read = json!({ "app": app, "submission": review["submission"], "listingDigest": review["listing"]["digest"] });
    let approved = reviewer.does("approveListing", read).await;
    assert_eq!(text(&approved, "/app/listing/content/displayName"), "Redis, by Acme");
    assert_eq!(store(&story.user, json!({})).await, ["Redis, by Acme"]);
}

const SORTED: &str = "query($sort: StoreSort, $search: String, $workspace: ID, $maintainer: String, $category: ID, $after: String) { \
    store(sort: $sort, search: $search, workspace: $workspace, maintainer: $maintainer, category: $category, first: 2, after: $after) { \
    nodes { displayName updatedAt } facets { apps category { name } } pageInfo { endCursor hasNextPage } } }";

#[tokio::test]
async fn the_store_is_sorted_filtered_and_counted_and_a_cursor_is_of_one_list() {
    let story = Story::begin().await;
    let about = |name: &str| {
        let maintainers = "maintainers:\n- name: Ada Lovelace\n  email: ada@example.com\n";
        format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\ndescription: Keeps things\n{maintainers}")
    };
    let redis = chart("redis", "1.0.0").file("Chart.yaml", about("redis"));
    let redis = story.published(&redis).await;
    story.published(&chart("kafka", "1.0.0")).await;
    story.published(&chart("minio", "1.0.0")).await;
    let made = story
        .reviewer
        .does("createCategory", json!({ "name": "Databases", "icon": "database" }))
        .await;
    let category = text(&made, "/category/id").to_owned();
    story
        .reviewer
        .does("assignCategory", json!({ "app": redis.app, "category": category }))
        .await;

    let found = async |variables: Value| {
        let found = story.isv.ask(SORTED, variables).await;
        let names = harness::texts(&found, "/store/nodes", "/displayName");
        names.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found(json!({})).await, ["minio", "kafka"]);
    assert_eq!(found(json!({ "sort": "NAME" })).await, ["kafka", "minio"]);
    assert_eq!(found(json!({ "sort": "LAST_UPDATE" })).await, ["redis", "minio"]);
    assert_eq!(found(json!({ "maintainer": "ada lovelace" })).await, ["redis"]);
    assert_eq!(found(json!({ "maintainer": "Ada" })).await, Vec::<String>::new());
    assert_eq!(
        found(json!({ "workspace": story.workspace, "sort": "NAME" })).await,
        ["kafka", "minio"]
    );
    assert_eq!(
        found(json!({ "workspace": story.foreign_workspace })).await,
        Vec::<String>::new()
    );

    let counted = story
        .user
        .ask(SORTED, json!({ "category": category, "search": "keeps" }))
        .await;
    let facets = &counted["store"]["facets"];
    let expected = json!([{ "apps": 2, "category": null }, { "apps": 1, "category": { "name": "Databases" } }]);
    assert_eq!(facets, &expected, "the shelf that is looked at hides no other");

    let first = story.user.ask(SORTED, json!({ "sort": "NAME" })).await;
    let after = text(&first, "/store/pageInfo/endCursor");
    assert_eq!(found(json!({ "sort": "NAME", "after": after })).await, ["redis"]);
    for other in [
        json!({ "after": after }),
        json!({ "sort": "NAME", "search": "redis", "after": after }),
        json!({ "sort": "NAME", "category": category, "after": after }),
    ] {
        let refused = story.user.is_denied(SORTED, other).await;
        refused.says("CURSOR_OF_ANOTHER_LIST", &["another list"]);
    }
    let made_up = json!({ "sort": "NAME", "after": "bm9uc2Vuc2U" });
    story.user.is_denied(SORTED, made_up).await.says("CURSOR_INVALID", &[]);
}
