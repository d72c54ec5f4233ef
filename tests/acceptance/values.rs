//! Values: read as Helm reads them, and held to the chart's schema before anything is started.

use harness::{Person, Story, chart, chart::Chart, helm::Helm, list, story::settled, text};
use serde_json::{Value, json};

const SCHEMA: &str = r#"{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "required": ["password"],
  "properties": {
    "password": { "type": "string", "minLength": 8 },
    "replicas": { "type": "integer", "minimum": 1 },
    "tls": { "type": "object", "properties": { "enabled": { "type": "boolean" } } }
  }
}"#;

/// All user errors of a mutation, each as code, pointer and message.
async fn refusals(person: &Person, mutation: &str, input: Value) -> Vec<(String, Value, String)> {
    let kind = format!("{}{}", mutation[..1].to_uppercase(), &mutation[1..]);
    let document = format!(
        "mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ userErrors {{ code message path pointer }} }} }}"
    );
    let answer = person.send(&document, &json!({ "input": input })).await.unwrap();
    let errors = list(&answer, &format!("/data/{mutation}/userErrors")).iter();
    let told = errors.map(|error| {
        assert_eq!(error["path"], json!(["input", "values"]));
        let (code, message) = (text(error, "/code"), text(error, "/message"));
        (code.to_owned(), error["pointer"].clone(), message.to_owned())
    });
    told.collect()
}

fn install(story: &Story, version: &str, values: &str) -> Value {
    json!({ "project": story.project, "name": "cache", "version": version, "values": values })
}

#[tokio::test]
async fn every_violation_of_the_schema_is_told_with_its_place_and_nothing_is_recorded() {
    let story = Story::begin().await;
    let app = story
        .published(&chart("redis", "11.3.4").file("values.schema.json", SCHEMA))
        .await;
    let events = story.events().await;
    // `010` is 8, and `no` is false: neither breaks a rule.
    let values = "password: hunter2\nreplicas: 0\ntls: {enabled: 'no'}\n";
    let told = refusals(&story.user, "installRelease", install(&story, &app.version, values)).await;
    let mut pointers: Vec<_> = told.iter().map(|(_, pointer, _)| pointer.as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/password", "/replicas", "/tls/enabled"], "{told:?}");
    assert!(told.iter().all(|(code, ..)| code == "VALUES_REFUSED"));
    assert!(
        told.iter().all(|(.., message)| !message.contains("hunter2")),
        "{told:?}"
    );
    let told = refusals(&story.user, "installRelease", install(&story, &app.version, "")).await;
    assert_eq!(told.len(), 1, "the password is missing: {told:?}");
    assert_eq!(story.events().await, events);

    let good = "password: correct horse\nreplicas: 010\ntls: {enabled: no}\n";
    let made = story
        .user
        .does("installRelease", install(&story, &app.version, good))
        .await;
    let release = text(&made, "/release/id");
    assert_eq!(text(&settled(&story.user, release).await, "/status"), "RUNNING");
}

#[tokio::test]
async fn values_that_are_kept_are_held_to_the_new_versions_schema() {
    let story = Story::begin().await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let release = story.install("cache", &app.version, Some("password: short\n")).await;
    settled(&story.user, &release).await;
    let strict = story
        .version(&app.app, &chart("redis", "12.0.0").file("values.schema.json", SCHEMA))
        .await;
    story.publish(&strict).await;
    let upgrade = json!({ "release": release, "version": strict });
    let told = refusals(&story.user, "upgradeRelease", upgrade).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].1, json!("/password"));
    let corrected = json!({ "release": release, "version": strict, "values": "password: long enough\n" });
    story.user.does("upgradeRelease", corrected).await;
    assert_eq!(text(&settled(&story.user, &release).await, "/status"), "RUNNING");
}

#[tokio::test]
async fn what_is_no_values_is_refused_with_the_reason_before_anything_is_recorded() {
    let story = Story::begin_with(&["--values-max-bytes", "1000"]).await;
    let app = story.published(&chart("redis", "11.3.4")).await;
    let events = story.events().await;
    let too_long = format!("a: {}", "x".repeat(998));
    for (values, code, words) in [
        ("a: [", "VALUES_NOT_YAML", "line"),
        ("a: .nan", "VALUES_NOT_YAML", ".nan"),
        ("- a\n- b\n", "VALUES_NOT_MAPPING", "a list"),
        ("a: 1\nb: 2\na: 3\n", "VALUES_KEY_TWICE", "line 3"),
        (too_long.as_str(), "VALUES_TOO_LARGE", "1001"),
    ] {
        let told = refusals(&story.user, "installRelease", install(&story, &app.version, values)).await;
        assert_eq!(told.len(), 1, "{values:?}: {told:?}");
        let (found, pointer, message) = &told[0];
        assert_eq!((found.as_str(), pointer), (code, &Value::Null));
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(story.events().await, events);
}

/// Words that mean something else to YAML 1.1 than to YAML 1.2, or to Go than to Rust.
const WORDS: &[&str] = &[
    "no",
    "No",
    "n",
    "N",
    "nO",
    "yes",
    "y",
    "on",
    "Off",
    "true",
    "TRUE",
    "tRUE",
    "~",
    "null",
    "Null",
    "nUll",
    "",
    "010",
    "-010",
    "+010",
    "08",
    "0o17",
    "0x1F",
    "0X1f",
    "0b101",
    "-0b11",
    "0xZZ",
    "1_000",
    "_1",
    "1__0",
    "+12",
    "-12",
    "--1",
    "-",
    "+",
    "0",
    "-0",
    "00",
    "1.",
    "1.0",
    ".5",
    "-.5",
    "+.5",
    "1.5e3",
    "1e3",
    "1E-3",
    "1e",
    "e1",
    "1e999",
    "1.2.3",
    "12:30:45",
    "190:20:30",
    "2001-12-14",
    "2001-12-14T21:59:43.10-05:00",
    "9007199254740993",
    "0.1",
    "123456789012",
    "'no'",
    "\"010\"",
    "!!str 010",
    "!!int \"7\"",
    "!!float 1",
    "!!bool true",
    "!own word",
    "!!binary aGk=",
    "=",
    ".",
    "...x",
    "0.",
    "1e+3",
    "0x",
    "0b",
    "0o",
    "1_0.5_0",
    "infinity",
    "NaN",
    "[no, 010, 'x']",
    "{no: yes, 1: 010}",
    "\"a\\tb\"",
    "'it''s'",
    "? x",
    "*",
    "a b",
    "http://x",
    "10Gi",
    "1,000",
    "0777",
    "07_7",
    "1e5_0",
];

/// A chart whose defaults for the keys `k0`, `k1` … are all different, and which shows what it sees.
fn showing(version: &str, keys: usize) -> Chart {
    let defaults: String = (0..keys).map(|n| format!("k{n}: \"default of {version}\"\n")).collect();
    chart("redis", version)
        .file("values.yaml", defaults)
        .file("templates/configmap.yaml", "seen: {{ .Values | toJson | b64enc }}\n")
}

/// Numbers by their size: Helm's templates show large ones as powers of ten.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), normal(value))).collect(),
        other => other.clone(),
    }
}

/// What Helm makes of values, if anything.
async fn as_helm_sees(helm: &Helm, chart: &Chart, values: &str) -> Option<Value> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    std::fs::write(helm.file("chart.tgz"), chart.packed()).unwrap();
    std::fs::write(helm.file("values.yaml"), values).unwrap();
    let output = helm
        .attempt(&["template", "x", "chart.tgz", "--values", "values.yaml"])
        .await;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let seen = text.lines().find_map(|line| line.strip_prefix("seen: ")).unwrap();
    serde_json::from_slice(&STANDARD.decode(seen).unwrap()).unwrap()
}

#[tokio::test]
async fn a_word_means_here_what_it_means_to_helm() {
    let helm = Helm::installed().await;
    let story = Story::begin().await;
    let (old, new) = (showing("11.3.4", WORDS.len()), showing("12.0.0", WORDS.len()));
    let app = story.published(&old).await;
    let next = story.version(&app.app, &new).await;
    story.publish(&next).await;
    let release = story.install("cache", &app.version, None).await;
    settled(&story.user, &release).await;
    let mut compared = 0;
    for (n, word) in WORDS.iter().enumerate() {
        let values = format!("k{n}: {word}\n");
        let by_helm = as_helm_sees(&helm, &old, &values).await;
        let query = "query($r: ID!, $v: ID!, $values: String) { upgradePreview(release: $r, version: $v, values: $values) { \
            userErrors { code message } changes { pointer ownValue } } }";
        let seen = story
            .user
            .ask(query, json!({ "r": release, "v": next, "values": values }))
            .await;
        let errors = list(&seen, "/upgradePreview/userErrors");
        let Some(by_helm) = by_helm else {
            assert!(!errors.is_empty(), "helm does not read {word:?}, and here it is {seen}");
            continue;
        };
        assert!(errors.is_empty(), "helm reads {word:?}: {errors:?}");
        let pointer = format!("/k{n}");
        let changes = list(&seen, "/upgradePreview/changes").iter();
        let own = changes
            .filter(|change| change["pointer"] == json!(pointer))
            .find_map(|change| change["ownValue"].as_str());
        // A null takes the default away, which is how Helm shows it.
        let own: Value = own.map_or(Value::Null, |own| serde_json::from_str(own).unwrap());
        let expected = by_helm.get(format!("k{n}")).unwrap_or(&Value::Null);
        assert_eq!(normal(&own), normal(expected), "{word:?}");
        compared += 1;
    }
    assert!(compared > WORDS.len() / 2, "only {compared} could be compared");
}

#[tokio::test]
async fn a_chart_sees_here_what_it_sees_in_helm() {
    let helm = Helm::installed().await;
    let story = Story::begin().await;
    let defaults = "a: 1\nb: {c: 2, d: [1, 2], e: null}\nf: {g: {h: 3}}\ni: null\n";
    let shows = |version: &str| {
        chart("redis", version)
            .file("values.yaml", defaults)
            .file("templates/configmap.yaml", "seen: {{ .Values | toJson | b64enc }}\n")
    };
    for (n, values) in [
        "",
        "a: null\n",
        "b: null\nz: null\n",
        "b: {c: null, x: null, w: {z: null}}\n",
        "b: {d: [3]}\nf: {g: {k: 4}}\n",
        "a: {x: 1}\nf: 5\n",
        "f: {g: null}\n",
        "i: {j: null}\n",
        "b: {e: null}\n",
        "f: {g: {h: null, q: null}}\n",
        "base: &base {c: 9}\nb: {<<: *base, d: [0]}\n",
    ]
    .into_iter()
    .enumerate()
    {
        let version = format!("1.0.{n}");
        let seen = as_helm_sees(&helm, &shows(&version), values).await.unwrap();
        // A schema that allows exactly what Helm sees: it is accepted only if the same is seen here.
        let exactly = json!({ "const": seen }).to_string();
        let strict = shows(&version).file("values.schema.json", exactly);
        let app = if n == 0 {
            story.app(&strict).await.version
        } else {
            let apps = story
                .isv
                .ask(
                    "query($id: ID!) { apps(workspace: $id) { nodes { id } } }",
                    json!({ "id": story.workspace }),
                )
                .await;
            story.version(text(&apps, "/apps/nodes/0/id"), &strict).await
        };
        let wanted = json!({ "project": story.project, "name": format!("r{n}"), "version": app, "values": values });
        let outcome = story.isv.attempt("installRelease", &wanted).await.unwrap();
        assert!(outcome.is_ok(), "{values:?} is seen by helm as {seen}: {outcome:?}");
    }
}
