//! What a chart is read as, and which texts make it no chart.

use super::super::metadata::{ApiVersion, ChartDependency, ChartKind, ChartMaintainer, ChartMetadata, ImportValue};
use super::super::{ArchiveLimits, ChartFile, pack, read};
use super::archives::{CHART_YAML, Tar, accepted, refused};

fn with_chart_yaml(chart_yaml: &str) -> Tar {
    Tar::default().file("redis/Chart.yaml", chart_yaml)
}

#[track_caller]
fn chart_yaml_problem(chart_yaml: &str) -> String {
    let error = refused(with_chart_yaml(chart_yaml));
    assert_eq!(error.code(), "CHART_YAML_INVALID", "{error}");
    error.to_string()
}

#[test]
fn a_whole_chart_is_read() {
    let values = "# How many.\nreplicas: 1\n";
    let schema = r#"{"type": "object"}"#;
    let chart = accepted(
        Tar::chart()
            .file("redis/values.yaml", values)
            .file("redis/templates/service.yaml", "{{ .Values }}")
            .file("redis/readme.MD", "\u{feff}# Redis")
            .file("redis/app-readme.md", "In short")
            .file("redis/values.schema.json", schema),
    );
    assert_eq!(chart.metadata.name, "redis");
    assert_eq!(chart.readme.as_deref(), Some("# Redis"));
    assert_eq!(chart.app_readme.as_deref(), Some("In short"));
    assert_eq!(chart.values.as_deref(), Some(values));
    assert_eq!(chart.values_schema.as_deref(), Some(schema));
    let names: Vec<_> = chart.files.iter().map(|file| file.path.as_str()).collect();
    let expected = [
        "Chart.yaml",
        "app-readme.md",
        "readme.MD",
        "templates/service.yaml",
        "values.schema.json",
        "values.yaml",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        chart.files[3],
        ChartFile {
            path: "templates/service.yaml".to_owned(),
            size_bytes: 13
        }
    );
}

#[test]
fn all_fields_of_a_v2_chart_are_read_and_survive_json() {
    let metadata = accepted(with_chart_yaml(
        "apiVersion: v2\nname: redis\nversion: 12.0.0\nkubeVersion: '>=1.25.0-0'\ndescription: |\n  Fast\n  store\n\
         type: library\nkeywords: [cache]\nhome: https://redis.io\nsources: [https://github.com/redis/redis]\n\
         dependencies:\n- {name: common, version: 1.x.x, repository: 'https://charts.example', condition: common.enabled, \
         tags: [base], alias: base, import-values: [data, {child: a, parent: b}]}\n\
         maintainers: [{name: Ada, email: ada@example.org, url: 'https://example.org'}]\nicon: https://redis.io/icon.png\n\
         appVersion: '6.0'\ndeprecated: true\nannotations: {note: \"two\\nlines\"}\n",
    ))
    .metadata;
    let text = |text: &str| Some(text.to_owned());
    let expected = ChartMetadata {
        api_version: ApiVersion::V2,
        name: "redis".to_owned(),
        version: "12.0.0".to_owned(),
        kind: ChartKind::Library,
        kube_version: text(">=1.25.0-0"),
        description: text("Fast store"),
        keywords: vec!["cache".to_owned()],
        home: text("https://redis.io"),
        sources: vec!["https://github.com/redis/redis".to_owned()],
        dependencies: vec![ChartDependency {
            name: "common".to_owned(),
            version: text("1.x.x"),
            repository: text("https://charts.example"),
            condition: text("common.enabled"),
            tags: vec!["base".to_owned()],
            import_values: vec![
                ImportValue::Exported("data".to_owned()),
                ImportValue::Mapped {
                    child: "a".to_owned(),
                    parent: "b".to_owned(),
                },
            ],
            alias: text("base"),
        }],
        maintainers: vec![ChartMaintainer {
            name: "Ada".to_owned(),
            email: text("ada@example.org"),
            url: text("https://example.org"),
        }],
        icon: text("https://redis.io/icon.png"),
        app_version: text("6.0"),
        deprecated: true,
        annotations: [("note".to_owned(), "two\nlines".to_owned())].into(),
    };
    assert_eq!(metadata, expected);
    let json = serde_json::to_value(&metadata).unwrap();
    assert_eq!(json["apiVersion"], "v2");
    assert_eq!(json["type"], "library");
    assert_eq!(json["dependencies"][0]["import-values"][1]["child"], "a");
    assert_eq!(serde_json::from_value::<ChartMetadata>(json).unwrap(), expected);
}

#[test]
fn scalars_stand_for_their_text_as_in_helm() {
    let metadata = accepted(with_chart_yaml(
        "name: redis\nversion: 1.10\nappVersion: 20240101\nhome: null\nkeywords: [1, true]\nannotations: {a: 1}\n\
         extension: [ignored]\n---\nname: ignored\n",
    ))
    .metadata;
    assert_eq!(metadata.api_version, ApiVersion::V1);
    assert_eq!(metadata.version, "1.1");
    assert_eq!(metadata.app_version.as_deref(), Some("20240101"));
    assert_eq!(metadata.home, None);
    assert_eq!(metadata.keywords, ["1", "true"]);
    assert_eq!(metadata.annotations["a"], "1");
}

#[test]
fn characters_that_hide_or_turn_text_around_are_taken_out() {
    let metadata = accepted(with_chart_yaml(
        "name: redis\nversion: 1.0.0\ndescription: \"safe\\u202E txt\\u200b\\u0007\"\nhome: \"\\u200b\"\n",
    ))
    .metadata;
    assert_eq!(metadata.description.as_deref(), Some("safe txt"));
    assert_eq!(metadata.home, None);
}

#[test]
fn a_v1_chart_keeps_its_dependencies_in_requirements_yaml() {
    let chart = accepted(Tar::chart().file(
        "redis/requirements.yaml",
        "dependencies: [{name: common, version: 1.0.0}]",
    ));
    assert_eq!(chart.metadata.dependencies[0].name, "common");
    assert!(
        accepted(Tar::chart().file("redis/requirements.yaml", "# none\n"))
            .metadata
            .dependencies
            .is_empty()
    );
}

#[test]
fn requirements_yaml_may_hold_nothing_but_dependencies_and_not_a_second_list() {
    let renaming = refused(Tar::chart().file("redis/requirements.yaml", "name: evil"));
    assert_eq!(renaming.code(), "REQUIREMENTS_INVALID");
    let twice = Tar::default()
        .file("redis/Chart.yaml", format!("{CHART_YAML}dependencies: [{{name: a}}]"))
        .file("redis/requirements.yaml", "dependencies: [{name: b}]");
    assert_eq!(
        refused(twice).to_string(),
        "requirements.yaml: dependencies are listed in Chart.yaml already"
    );
}

#[test]
fn an_archive_without_chart_yaml_is_refused() {
    let error = refused(Tar::default().file("redis/templates/Chart.yaml", CHART_YAML));
    assert_eq!(error.code(), "CHART_YAML_MISSING");
    assert_eq!(error.to_string(), "redis/Chart.yaml is missing");
    assert_eq!(refused(Tar::default()).code(), "CHART_YAML_MISSING");
}

#[test]
fn the_problem_with_chart_yaml_names_field_and_what_was_found() {
    for (chart_yaml, problem) in [
        ("name: redis", "Chart.yaml: version is missing or empty"),
        ("version: 1.0.0", "Chart.yaml: name is missing or empty"),
        ("- a list", "Chart.yaml: it must hold a mapping"),
        ("", "Chart.yaml: it must hold a mapping"),
        (
            "apiVersion: v3\nname: redis\nversion: 1.0.0",
            r#"Chart.yaml: apiVersion must be v1 or v2, found "v3""#,
        ),
        (
            "name: redis\nversion: 1.0.0\ntype: app",
            r#"Chart.yaml: type must be application or library, found "app""#,
        ),
        (
            "name: redis\nversion: 1.0.0\nName: evil",
            r#"Chart.yaml: field "Name" must be written "name""#,
        ),
        (
            "name: redis\nversion: 1.0.0\nappVerſion: 1",
            r#"Chart.yaml: field "appVerſion" must be written "appVersion""#,
        ),
        (
            "<<: {name: evil}\nname: redis",
            "Chart.yaml: merge keys ('<<') are not supported",
        ),
        (
            "name: redis\nversion: 1.0.0\ndependencies: [{name: a}, {name: b, alias: a}]",
            r#"Chart.yaml: dependencies: name or alias "a" is there more than once"#,
        ),
        (
            "name: redis\nversion: 1.0.0\ndependencies: [{name: a, alias: a/b}]",
            r#"Chart.yaml: dependencies: alias "a/b" must be of letters, digits, '-' and '_'"#,
        ),
        (
            "name: redis\nversion: 1.0.0\ndependencies: [{}]",
            "Chart.yaml: dependencies: one of them has no name",
        ),
    ] {
        assert_eq!(chart_yaml_problem(chart_yaml), problem);
    }
    let wrong_type = chart_yaml_problem("name: redis\nversion: 1.0.0\nappVersion: [1]");
    assert!(
        wrong_type.contains("appVersion: invalid type: sequence, expected a string at line 3"),
        "{wrong_type}"
    );
    let wrong_item = chart_yaml_problem("name: redis\nversion: 1.0.0\nmaintainers: [{name: {}}]");
    assert!(
        wrong_item.contains("maintainers[0].name: invalid type: map, expected a string"),
        "{wrong_item}"
    );
    let quoted = chart_yaml_problem("name: redis\nversion: 1.0.0\ndeprecated: 'true'");
    assert!(
        quoted.contains("deprecated: invalid type: string \"true\", expected a boolean"),
        "{quoted}"
    );
    let twice = chart_yaml_problem("name: redis\nversion: 1.0.0\nname: other");
    assert!(twice.contains("duplicate"), "{twice}");
}

#[test]
fn the_root_folder_is_named_like_the_chart() {
    let error = refused(Tar::default().file("other/Chart.yaml", CHART_YAML));
    assert_eq!(error.code(), "CHART_NAME_MISMATCH");
    assert_eq!(
        error.to_string(),
        r#"Chart.yaml: name is "redis", but the root folder is "other"; they must be equal"#
    );
}

#[test]
fn texts_are_utf8() {
    let chart_yaml = Tar::default().file("redis/Chart.yaml", b"name: \xff");
    for tar in [
        chart_yaml,
        Tar::chart().file("redis/README.md", b"\xff"),
        Tar::chart().file("redis/values.yaml", b"a: \xff"),
        Tar::chart().file("redis/values.schema.json", b"\xff"),
    ] {
        assert_eq!(refused(tar).code(), "ARCHIVE_TEXT_NOT_UTF8");
    }
    accepted(Tar::chart().file("redis/logo.bin", b"\xff"));
}

#[test]
fn a_long_readme_is_cut_between_characters_and_says_so() {
    let limits = ArchiveLimits {
        readme_shown_max_bytes: 100,
        ..ArchiveLimits::default()
    };
    let readme = "é".repeat(60);
    let chart = read(&Tar::chart().file("redis/README.md", &readme).tgz(), &limits).unwrap();
    let shown = chart.readme.unwrap();
    assert!(shown.len() <= 100 && shown.starts_with("éé"), "{shown}");
    assert!(
        shown.ends_with("*(Cut here: README.md is longer than 100 bytes.)*\n"),
        "{shown}"
    );
}

#[test]
fn values_are_mappings_or_nothing() {
    for values in [
        "",
        "# none\n",
        "a: 1",
        "---\na: 1\n---\n# second\nb: 2\n",
        "base: &b {x: 1}\nmore: {<<: *b}",
        "a: !odd 1",
    ] {
        accepted(Tar::chart().file("redis/values.yaml", values));
    }
    for (values, problem) in [
        ("- a", "values.yaml: it must hold a mapping, found a list"),
        ("text", "values.yaml: it must hold a mapping, found a string"),
        ("a: 1\n---\n2", "values.yaml: it must hold a mapping, found a number"),
    ] {
        let error = refused(Tar::chart().file("redis/values.yaml", values));
        assert_eq!(error.code(), "VALUES_INVALID");
        assert_eq!(error.to_string(), problem);
    }
}

#[test]
fn yaml_that_explodes_or_digs_deep_is_refused() {
    let bomb = (b'b'..=b'm').fold("a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |yaml, name| {
        let (name, before) = (char::from(name), char::from(name - 1));
        yaml + &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 10].join(", "))
    });
    let many_of_a_long_list = format!("a: &a [{}]\nb: [{}]", "x, ".repeat(5_000), "*a, ".repeat(5_000));
    let many_of_a_long_text = format!("a: &a {}\nb: [{}]", "x".repeat(50_000), "*a, ".repeat(5_000));
    let deep_flow = format!("a: {}", "[".repeat(1_000));
    let deeper_flow = format!("a: {}", "[".repeat(100_000));
    let deep_block = format!("a:\n  {}x", "- ".repeat(100_000));
    let directives = format!("{}---\na: 1", "%TAG !a! b\n".repeat(10_000));
    for yaml in [
        bomb,
        many_of_a_long_list,
        many_of_a_long_text,
        deep_flow,
        deeper_flow,
        deep_block,
        directives,
    ] {
        let error = refused(Tar::chart().file("redis/values.yaml", &yaml));
        assert_eq!(error.code(), "VALUES_INVALID");
        assert!(error.to_string().len() < 300, "{error}");
        chart_yaml_problem(&yaml);
    }
}

#[test]
fn packing_gives_the_same_bytes_in_any_order_and_reads_back() {
    let files = [
        ("Chart.yaml", CHART_YAML.as_bytes()),
        ("README.md", b"# Redis"),
        ("templates/a.yaml", b"a: 1"),
    ];
    let packed = pack::pack("redis", files).unwrap();
    assert_eq!(pack::pack("redis", files.into_iter().rev()).unwrap(), packed);
    let chart = read(&packed, &ArchiveLimits::default()).unwrap();
    assert_eq!(chart.readme.as_deref(), Some("# Redis"));
    assert_eq!(chart.files.len(), 3);
    assert!(pack::pack("redis", [("../evil", &b""[..])]).is_err());
}
