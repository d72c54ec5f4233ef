//! The charts that the demonstration uploads are charts that the product accepts.

use include_dir::{Dir, include_dir};

use super::super::{Chart, pack};
use super::archives::read_default;

static OLD: Dir = include_dir!("$CARGO_MANIFEST_DIR/demo/charts/redis-11.3.4/redis");
static NEW: Dir = include_dir!("$CARGO_MANIFEST_DIR/demo/charts/redis-12.0.0/redis");

fn packed_and_read(folder: &Dir) -> Chart {
    read_default(&pack::pack_dir("redis", folder).unwrap()).unwrap()
}

#[test]
fn both_are_accepted_whole() {
    for (folder, version) in [(&OLD, "11.3.4"), (&NEW, "12.0.0")] {
        let chart = packed_and_read(folder);
        assert_eq!(
            (chart.metadata.name.as_str(), chart.metadata.version.as_str()),
            ("redis", version)
        );
        assert!(chart.readme.is_some() && chart.values.is_some() && chart.values_schema.is_some());
        assert!(chart.files.iter().any(|file| file.path == "templates/_helpers.tpl"));
    }
}

#[test]
fn each_one_accepts_its_own_default_values_and_refuses_the_other_ones() {
    let [old, new] = [&OLD, &NEW].map(packed_and_read);
    let accepts = |schema: &Chart, values: &Chart| {
        let schema = serde_json::from_str(schema.values_schema.as_deref().unwrap()).unwrap();
        let values = serde_yaml::from_str(values.values.as_deref().unwrap()).unwrap();
        jsonschema::is_valid(&schema, &values)
    };
    assert!(accepts(&old, &old) && accepts(&new, &new));
    assert!(
        !accepts(&new, &old) && !accepts(&old, &new),
        "12.0.0 is a breaking change"
    );
}
