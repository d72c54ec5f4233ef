//! What a values schema may say.

use super::archives::{Tar, accepted, refused};

fn with_schema(schema: &str) -> Tar {
    Tar::chart().file("redis/values.schema.json", schema)
}

#[test]
fn references_within_the_document_are_accepted() {
    for schema in [
        r##"{"$ref": "#/definitions/a", "definitions": {"a": {"type": "object"}}}"##,
        r##"{"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {"$id": "#a"}}, "allOf": [{"$ref": "#a"}]}"##,
        r##"{"$id": "https://example.com/v.json", "allOf": [{"$ref": "https://example.com/v.json#/$defs/a"}], "$defs": {"a": {}}}"##,
        r##"{"$defs": {"a": {"$id": "https://example.com/a"}}, "properties": {"x": {"$ref": "https://example.com/a"}}}"##,
        r##"{"properties": {"$ref": {"type": "string"}, "$schema": {"type": "string"}}}"##,
    ] {
        accepted(with_schema(schema));
    }
}

#[test]
fn references_to_other_documents_are_refused_and_shown() {
    for (schema, pointer, reference) in [
        (
            r#"{"$ref": "http://169.254.169.254/latest"}"#,
            "/$ref",
            "http://169.254.169.254/latest",
        ),
        (
            r#"{"properties": {"a/b": {"$ref": "file:///etc/passwd"}}}"#,
            "/properties/a~1b/$ref",
            "file:///etc/passwd",
        ),
        (
            r#"{"anyOf": [{}, {"$ref": "other.json#/a"}]}"#,
            "/anyOf/1/$ref",
            "other.json#/a",
        ),
        (
            r#"{"$dynamicRef": "https://example.com/x"}"#,
            "/$dynamicRef",
            "https://example.com/x",
        ),
        (
            r#"{"$recursiveRef": "https://example.com/x"}"#,
            "/$recursiveRef",
            "https://example.com/x",
        ),
        (
            r#"{"$schema": "http://example.com/dialect"}"#,
            "/$schema",
            "http://example.com/dialect",
        ),
        (
            r#"{"items": {"$schema": "http://example.com/dialect"}}"#,
            "/items/$schema",
            "http://example.com/dialect",
        ),
        (r#"{"$ref": ""}"#, "/$ref", ""),
    ] {
        let error = refused(with_schema(schema));
        assert_eq!(error.code(), "VALUES_SCHEMA_REMOTE_REF");
        let start = format!("redis/values.schema.json: {reference:?} at {pointer:?} points outside");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

#[test]
fn an_id_that_is_no_address_does_not_make_a_reference_local() {
    let evil = r#""$ref": "http://evil.example/x""#;
    for schema in [
        format!(r#"{{"default": {{"$id": "http://evil.example/x"}}, "allOf": [{{{evil}}}]}}"#),
        format!(r#"{{"examples": [{{"$id": "http://evil.example/x"}}], "allOf": [{{{evil}}}]}}"#),
        format!(r#"{{"$id": "http://evil.example/x", {evil}}}"#),
        format!(r##"{{"$defs": {{"a": {{"$id": "http://evil.example/x", "$ref": "#/b"}}}}, "allOf": [{{{evil}}}]}}"##),
        format!(
            r#"{{"$schema": "http://json-schema.org/draft-04/schema#", "$id": "http://evil.example/x", "allOf": [{{{evil}}}]}}"#
        ),
        format!(
            r#"{{"$schema": "http://json-schema.org/draft-07/schema#", "$defs": {{"a": {{"$id": "http://evil.example/x"}}}},
               "allOf": [{{{evil}}}]}}"#
        ),
        format!(
            r#"{{"$defs": {{"a": {{"$schema": "http://json-schema.org/draft-04/schema", "$id": "http://evil.example/x"}}}},
               "allOf": [{{{evil}}}]}}"#
        ),
        r#"{"$id": "http://evil.example/", "allOf": [{"$ref": "x"}]}"#.to_owned(),
    ] {
        assert_eq!(
            refused(with_schema(&schema)).code(),
            "VALUES_SCHEMA_REMOTE_REF",
            "{schema}"
        );
    }
}

#[test]
fn a_schema_is_a_json_object_and_valid() {
    for (schema, problem) in [
        ("type: object", "it is not JSON"),
        (r#"{"type": "object"} {}"#, "it is not JSON"),
        ("true", "it must hold a JSON object"),
        (r#"{"type": "no such type"}"#, "it is not a valid JSON Schema"),
        (r##"{"$ref": "#/definitions/none"}"##, "it is not a valid JSON Schema"),
        (&"[".repeat(100_000), "it is not JSON"),
    ] {
        let error = refused(with_schema(schema));
        assert_eq!(error.code(), "VALUES_SCHEMA_INVALID", "{schema}");
        assert!(
            error
                .to_string()
                .starts_with(&format!("redis/values.schema.json: {problem}")),
            "{error}"
        );
    }
}

#[test]
fn schemas_of_subcharts_are_held_to_the_same_rules_however_they_are_packed() {
    let evil = r#"{"$ref": "http://evil.example"}"#;
    let folder = Tar::chart().file("redis/charts/common/values.schema.json", evil);
    let common = Tar::default().file("common/charts/deep/values.schema.json", evil);
    let packed = Tar::chart().file("redis/charts/common-1.0.0.tgz", common.clone().tgz());
    let outer = Tar::default().file("outer/charts/common.tgz", common.tgz());
    let twice = Tar::chart().file("redis/charts/a/charts/outer.tgz", outer.tgz());
    for (tar, file) in [
        (folder, "redis/charts/common/values.schema.json"),
        (packed, "charts/common-1.0.0.tgz: common/charts/deep/values.schema.json"),
        (
            twice,
            "charts/a/charts/outer.tgz: charts/common.tgz: common/charts/deep/values.schema.json",
        ),
    ] {
        let error = refused(tar);
        assert_eq!(error.code(), "VALUES_SCHEMA_REMOTE_REF");
        assert!(error.to_string().starts_with(&format!("{file}: ")), "{error}");
    }
}

#[test]
fn a_packaged_subchart_that_is_no_archive_is_refused_by_name() {
    let error = refused(Tar::chart().file("redis/charts/common.tgz", "not gzip"));
    assert_eq!(error.code(), "ARCHIVE_NOT_GZIP");
    assert!(
        error
            .to_string()
            .starts_with("charts/common.tgz is not gzip-compressed"),
        "{error}"
    );
}
