//! What must not come in: every refusal names its rule, the limit and what was met, and leaves nothing behind.

use harness::{
    Story,
    archive::{Archive, gzip},
    chart,
    chart::Chart,
    picture,
    snapshot::files_below,
};
use tar::EntryType;

const MIB: usize = 1 << 20;

/// What lies in the store of blobs, and how many events there are.
async fn kept(story: &Story) -> (Vec<std::path::PathBuf>, usize) {
    let blobs = files_below(&story.server.data().join("blobs")).unwrap();
    (blobs, story.events().await)
}

/// An archive, the code it is refused with, and words of the message.
type Case = (&'static str, Vec<u8>, &'static str, &'static [&'static str]);

async fn are_refused(kind: &str, cases: Vec<Case>) {
    let story = Story::begin().await;
    let before = kept(&story).await;
    for (what, bytes, code, words) in cases {
        let answer = story.isv.post_upload(&story.workspace, kind, bytes).await;
        assert!(
            (400..500).contains(&answer.status),
            "{what}: {} {}",
            answer.status,
            answer.text()
        );
        let refusal = answer.refusal();
        assert_eq!(refusal.code, code, "{what}: {refusal:?}");
        for word in words {
            assert!(refusal.message.contains(word), "{what}: {word:?} is not in {refusal:?}");
        }
        assert_eq!(kept(&story).await, before, "{what} left something behind");
    }
}

fn redis() -> Chart {
    chart("redis", "11.3.4")
}

fn with(path: &str, content: impl AsRef<[u8]>) -> Vec<u8> {
    redis().file(path, content).packed()
}

fn beside(path: &str) -> Vec<u8> {
    redis().archive().file(path, "x").packed()
}

fn linking(kind: EntryType) -> Vec<u8> {
    redis()
        .archive()
        .link("redis/values.yaml", kind, "/etc/passwd")
        .packed()
}

#[tokio::test]
async fn archives_that_would_leave_their_folder_are_refused() {
    let cases: Vec<Case> = vec![
        (
            "traversal",
            beside("redis/../../etc/cron.d/evil"),
            "ARCHIVE_PATH_UNSAFE",
            &["..", "etc/cron.d"],
        ),
        (
            "an absolute path",
            beside("/etc/passwd"),
            "ARCHIVE_PATH_UNSAFE",
            &["absolute", "/etc/passwd"],
        ),
        (
            "a path for another system",
            beside("redis\\..\\evil"),
            "ARCHIVE_PATH_UNSAFE",
            &["backslash"],
        ),
        (
            "a path with a line break",
            beside("redis/a\nb"),
            "ARCHIVE_PATH_UNSAFE",
            &["control character"],
        ),
        (
            "a path to be cleaned",
            beside("redis/./values.yaml"),
            "ARCHIVE_PATH_UNSAFE",
            &["'.'"],
        ),
        (
            "a symbolic link",
            linking(EntryType::Symlink),
            "ARCHIVE_LINK",
            &["redis/values.yaml"],
        ),
        (
            "a hard link",
            linking(EntryType::Link),
            "ARCHIVE_LINK",
            &["redis/values.yaml"],
        ),
        (
            "a device",
            linking(EntryType::Char),
            "ARCHIVE_SPECIAL_FILE",
            &["redis/values.yaml"],
        ),
        (
            "a pipe",
            linking(EntryType::Fifo),
            "ARCHIVE_SPECIAL_FILE",
            &["redis/values.yaml"],
        ),
        (
            "two roots",
            beside("evil/values.yaml"),
            "ARCHIVE_SEVERAL_ROOTS",
            &["redis", "evil"],
        ),
        ("no root", beside("values.yaml"), "ARCHIVE_NO_ROOT", &["values.yaml"]),
        (
            "one path twice",
            beside("redis/Chart.yaml"),
            "ARCHIVE_DUPLICATE_FILE",
            &["redis/Chart.yaml"],
        ),
    ];
    are_refused("chart", cases).await;
}

#[tokio::test]
async fn archives_that_are_too_much_are_refused() {
    let crowd = (0..10_000)
        .fold(redis().archive(), |archive, number| {
            archive.file(&format!("redis/f{number}"), "")
        })
        .packed();
    let doll = (0..6).fold(redis().packed(), |inner, _| with("charts/redis-1.0.0.tgz", inner));
    let mut noise = harness::random::Random::seeded(1);
    let mut random_bytes = || noise.next().to_le_bytes();
    let large: Vec<u8> = std::iter::repeat_with(&mut random_bytes)
        .take(20 * MIB / 8)
        .flatten()
        .collect();
    let long_values = format!("text: {}\n", "x".repeat(MIB));
    let cases: Vec<Case> = vec![
        (
            "20 MiB and more",
            with("noise.bin", &large),
            "ARCHIVE_TOO_LARGE",
            &["20971520 are allowed"],
        ),
        (
            "a bomb",
            with("zeros.bin", vec![0; 101 * MIB]),
            "ARCHIVE_UNPACKED_TOO_LARGE",
            &["104857600 bytes", "zeros.bin"],
        ),
        (
            "10,001 entries and more",
            crowd,
            "ARCHIVE_TOO_MANY_ENTRIES",
            &["10000 entries"],
        ),
        ("charts in charts", doll, "ARCHIVE_NESTED_TOO_DEEP", &["4 levels"]),
        (
            "long values",
            with("values.yaml", long_values),
            "ARCHIVE_FILE_TOO_LARGE",
            &["1048576 bytes", "1048583 bytes", "values.yaml"],
        ),
    ];
    are_refused("chart", cases).await;
}

#[tokio::test]
async fn archives_that_are_broken_are_refused() {
    let whole = redis().packed();
    let half = whole[..whole.len() / 2].to_vec();
    let with_tail = [&whole[..], b"tail"].concat();
    let cases: Vec<Case> = vec![
        ("nothing", vec![], "ARCHIVE_NOT_GZIP", &["1f 8b"]),
        ("a page", b"<html></html>".to_vec(), "ARCHIVE_NOT_GZIP", &["1f 8b"]),
        ("half of it", half, "ARCHIVE_DAMAGED", &["cut off or damaged"]),
        (
            "gzip of something else",
            gzip(&[7; 2048]),
            "ARCHIVE_NOT_TAR",
            &["not a tar archive"],
        ),
        (
            "a file that ends early",
            Archive::new().file("redis/a", [1; 2000]).packed_without_its_last(1000),
            "ARCHIVE_TRUNCATED",
            &["2000 bytes"],
        ),
        (
            "something behind the end",
            with_tail,
            "ARCHIVE_TRAILING_DATA",
            &["after its end"],
        ),
        (
            "two archives in one",
            [&whole[..], &whole].concat(),
            "ARCHIVE_TRAILING_DATA",
            &["after its end"],
        ),
    ];
    are_refused("chart", cases).await;
}

#[tokio::test]
async fn charts_that_helm_or_a_reader_could_not_understand_are_refused() {
    let about = |version: &str| format!("apiVersion: v2\nname: redis\nversion: {version}\n");
    let version = |text: &str| with("Chart.yaml", about(text));
    let remote = r#"{"type": "object", "properties": {"a": {"$ref": "http://169.254.169.254/latest/meta-data"}}}"#;
    let local_file = r#"{"$ref": "file:///etc/passwd"}"#;
    let cases: Vec<Case> = vec![
        (
            "no Chart.yaml",
            redis().without("Chart.yaml").packed(),
            "CHART_YAML_MISSING",
            &["redis/Chart.yaml"],
        ),
        (
            "bad YAML",
            with("Chart.yaml", "name: [redis"),
            "CHART_YAML_INVALID",
            &["Chart.yaml"],
        ),
        (
            "no name",
            with("Chart.yaml", "apiVersion: v2\nversion: 1.0.0\n"),
            "CHART_YAML_INVALID",
            &["name"],
        ),
        (
            "another name",
            with("Chart.yaml", "apiVersion: v2\nname: valkey\nversion: 1.0.0\n"),
            "CHART_NAME_MISMATCH",
            &["valkey", "redis"],
        ),
        (
            "a name for a shell",
            Chart::packed(&chart("r$(id)", "1.0.0")),
            "CHART_NAME_INVALID",
            &["r$(id)"],
        ),
        (
            "a version with a v",
            version("v1.0.0"),
            "CHART_VERSION_INVALID",
            &["v1.0.0"],
        ),
        (
            "a version that moves",
            version("latest"),
            "CHART_VERSION_INVALID",
            &["latest"],
        ),
        (
            "a version without a dot",
            version("\"1\""),
            "CHART_VERSION_INVALID",
            &["\"1\""],
        ),
        (
            "values that are no text",
            with("values.yaml", b"a: \xff\xfe\n"),
            "ARCHIVE_TEXT_NOT_UTF8",
            &["values.yaml", "offset 3"],
        ),
        (
            "values that are a list",
            with("values.yaml", "- a\n"),
            "VALUES_INVALID",
            &["values.yaml"],
        ),
        (
            "values that are no YAML",
            with("values.yaml", "a: [\n"),
            "VALUES_INVALID",
            &["values.yaml"],
        ),
        (
            "a schema that is no JSON",
            with("values.schema.json", "{"),
            "VALUES_SCHEMA_INVALID",
            &["values.schema.json"],
        ),
        (
            "a schema that is none",
            with("values.schema.json", r#"{"type": 7}"#),
            "VALUES_SCHEMA_INVALID",
            &["values.schema.json"],
        ),
        (
            "a schema from elsewhere",
            with("values.schema.json", remote),
            "VALUES_SCHEMA_REMOTE_REF",
            &["169.254.169.254", "/properties/a/$ref"],
        ),
        (
            "a schema from the disk",
            with("values.schema.json", local_file),
            "VALUES_SCHEMA_REMOTE_REF",
            &["file:///etc/passwd"],
        ),
    ];
    are_refused("chart", cases).await;
}

#[tokio::test]
async fn icons_that_are_too_large_or_no_pictures_are_refused() {
    let mut heavy = picture::png(96, 96);
    heavy.resize(64 * 1024 + 1, 0);
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
    let cases: Vec<Case> = vec![
        (
            "one pixel too wide",
            picture::png(97, 96),
            "ICON_DIMENSIONS",
            &["97 x 96", "96 x 96"],
        ),
        (
            "one pixel too high",
            picture::png(96, 97),
            "ICON_DIMENSIONS",
            &["96 x 97", "96 x 96"],
        ),
        ("one byte too many", heavy, "ICON_TOO_LARGE", &["65537", "65536"]),
        ("an SVG", svg, "ICON_FORMAT", &["PNG", "JPEG"]),
        (
            "a GIF",
            b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(),
            "ICON_FORMAT",
            &["PNG", "JPEG"],
        ),
        ("a chart", redis().packed(), "ICON_FORMAT", &["PNG", "JPEG"]),
        ("nothing", vec![], "ICON_FORMAT", &["PNG", "JPEG"]),
    ];
    are_refused("icon", cases).await;
    let mut heavy = picture::png(10, 10);
    heavy.resize(2 * MIB + 1, 0);
    let cases: Vec<Case> = vec![
        (
            "one byte too many",
            heavy,
            "SCREENSHOT_TOO_LARGE",
            &["2097153", "2097152"],
        ),
        ("a chart", redis().packed(), "SCREENSHOT_FORMAT", &["PNG", "JPEG"]),
    ];
    are_refused("screenshot", cases).await;
}
