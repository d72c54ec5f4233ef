//! The log as a feed: every event in order, from where one left off, to auditors, as long as they are auditors.

use std::time::Duration;

use harness::{Person, Story, chart, server::PATIENCE, story::audit_trail, text, verifiers};
use reqwest::{Method, Response};
use serde_json::Value;

fn parsed(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn follow(person: &Person, from: &str) -> Response {
    let path = format!("/events?follow=true&from={from}");
    person.request(Method::GET, &path).send().await.unwrap()
}

/// The next lines of a feed that goes on, at least one.
async fn next(feed: &mut Response) -> Vec<Value> {
    let mut text = Vec::new();
    while !text.ends_with(b"\n") {
        let chunk = tokio::time::timeout(PATIENCE, feed.chunk()).await;
        text.extend_from_slice(&chunk.expect("it goes on").unwrap().expect("it has not ended"));
    }
    parsed(std::str::from_utf8(&text).unwrap())
}

#[tokio::test]
async fn the_feed_is_the_log_and_the_cloudevents_package_reads_it() {
    let story = Story::begin().await;
    story.published(&chart("redis", "11.3.4")).await;
    let answer = story.admin.get("/events").await;
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let events = parsed(&answer.text());
    let trail = audit_trail(&story.admin).await;
    assert_eq!(events.len(), trail.len());
    for (event, entry) in events.iter().zip(&trail) {
        assert_eq!(event["position"], entry["position"]);
        assert_eq!(event["type"], entry["event"]);
        assert_eq!(event["data"], entry["data"]);
    }

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    std::fs::write(&file, &answer.body).unwrap();
    let read = verifiers::run("read_cloudevents.py", &["lines".as_ref(), file.as_os_str()])
        .await
        .unwrap();
    let expected: Vec<_> = trail
        .iter()
        .map(|entry| format!("{} {}", text(entry, "/event"), text(entry, "/position")))
        .collect();
    assert_eq!(read, expected);
}

#[tokio::test]
async fn a_reader_goes_on_where_it_left_off_and_is_told_of_another_epoch() {
    let story = Story::begin().await;
    let first = story.admin.get("/events").await;
    let (seen, cursor) = (parsed(&first.text()).len(), first.header("charthouse-next").to_owned());
    let nothing = story.admin.get(&format!("/events?from={cursor}")).await;
    assert_eq!((nothing.status, nothing.text().as_str()), (200, ""));
    story.app(&chart("redis", "11.3.4")).await;
    let rest = parsed(&story.admin.get(&format!("/events?from={cursor}")).await.text());
    assert_eq!(text(&rest[0], "/position"), seen.to_string());
    let by_position = parsed(&story.admin.get(&format!("/events?from={seen}")).await.text());
    assert_eq!(by_position, rest);

    let other_epoch = "/events?from=0198f3a0-0000-7000-8000-000000000000:0";
    for (path, status, code) in [
        (other_epoch, 410, "EPOCH_ENDED"),
        ("/events?from=100000", 400, "POSITION_IN_FUTURE"),
        ("/events?from=x", 400, "CURSOR_INVALID"),
        ("/events?since=0", 400, "BAD_PARAMETERS"),
    ] {
        let answer = story.admin.get(path).await;
        assert_eq!(
            (answer.status, answer.refusal().code.as_str()),
            (status, code),
            "{path}"
        );
    }
    for (person, status) in [(&story.isv, 403), (&story.nobody(), 401)] {
        assert_eq!(person.get("/events").await.status, status);
    }
}

#[tokio::test]
async fn a_feed_that_is_followed_shows_what_happens_until_the_right_to_see_it_is_gone() {
    let story = Story::begin().await;
    let admin = story.command_line();
    let auditor = admin.person("auditor", &[&["auditor"]]).await;
    let auditor = story.admin.with_token(&auditor);
    let size = story.events().await;
    let mut feed = follow(&auditor, &size.to_string()).await;
    assert_eq!(feed.status(), 200);
    story.app(&chart("redis", "11.3.4")).await;
    let mut seen = vec![];
    while !seen.iter().any(|event| text(event, "/type") == "VersionUploaded") {
        seen.extend(next(&mut feed).await);
    }
    assert_eq!(text(&seen[0], "/position"), size.to_string());

    admin.run(&["role", "revoke", "auditor", "auditor"]).await;
    // It breaks off: an answer that ends well would say that this is all there was.
    let rest = tokio::time::timeout(PATIENCE, feed.chunk()).await.expect("it ends");
    assert!(rest.is_err(), "{rest:?}");
    assert_eq!(follow(&auditor, "0").await.status(), 403);
}

#[tokio::test]
async fn a_feed_ends_well_when_its_time_is_over_and_only_so_many_are_read_at_once() {
    let story = Story::begin_with(&["--feed-lifetime", "1ms", "--feeds-max", "1"]).await;
    let feed = follow(&story.admin, "0").await;
    let read = tokio::time::timeout(PATIENCE, feed.text()).await.expect("it ends");
    assert!(read.is_ok_and(|text| text.is_empty() || text.ends_with('\n')));

    let story = Story::begin_with(&["--feeds-max", "1"]).await;
    let size = story.events().await.to_string();
    let open = follow(&story.admin, &size).await;
    let second = story.admin.get("/events").await;
    assert_eq!(
        (second.status, second.refusal().code.as_str()),
        (429, "TOO_MANY_AT_ONCE")
    );
    drop(open);
    let started = std::time::Instant::now();
    while story.admin.get("/events").await.status != 200 {
        assert!(started.elapsed() < PATIENCE, "its place is free again");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
