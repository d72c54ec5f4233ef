//! Uploads that are allowed, and what they may be used for.

use harness::{Story, chart, chart::Chart, picture};
use serde_json::json;

const MIB: usize = 1 << 20;

fn redis() -> Chart {
    chart("redis", "11.3.4")
}

#[tokio::test]
async fn the_limits_themselves_are_allowed() {
    let story = Story::begin().await;
    let mut icon = picture::png(96, 96);
    icon.resize(64 * 1024, 0);
    story.isv.upload(&story.workspace, "icon", icon).await;
    let values = "x".repeat(MIB - "text: \n".len());
    let chart = redis().file("values.yaml", format!("text: {values}\n"));
    story.app(&chart).await;
}

#[tokio::test]
async fn an_upload_is_of_use_only_as_what_it_was_checked_for() {
    let story = Story::begin().await;
    let app = story.app(&redis()).await;
    let icon = story.isv.upload(&story.workspace, "icon", picture::png(8, 8)).await;
    let screenshot = story
        .isv
        .upload(&story.workspace, "screenshot", picture::png(800, 600))
        .await;
    let chart = story.upload_chart(&chart("redis", "12.0.0")).await;
    let before = story.events().await;
    let wrong = [
        ("uploadVersion", json!({ "app": app.app, "upload": icon }), "chart"),
        ("setIcon", json!({ "app": app.app, "upload": chart }), "icon"),
        ("setIcon", json!({ "app": app.app, "upload": screenshot }), "icon"),
        (
            "editListing",
            json!({ "app": app.app, "screenshots": [icon] }),
            "screenshot",
        ),
    ];
    for (mutation, input, expected) in wrong {
        story
            .isv
            .is_refused(mutation, input)
            .await
            .says("UPLOAD_WRONG_KIND", &[expected]);
    }
    assert_eq!(story.events().await, before);
}
