//! No bytes may make the reader panic, and the limits hold whatever the bytes are.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::{ArchiveLimits, read};
use super::archives::{Tar, gzip, read_default};

fn good() -> Tar {
    let nested = Tar::default().file("common/Chart.yaml", "name: common\nversion: 1.0.0");
    Tar::chart()
        .pax(b'x', &[("path", "redis/README.md")])
        .file("redis/cut", "# Redis")
        .file("redis/values.yaml", "a: &a [1, 2]\nb: *a\n")
        .file(
            "redis/values.schema.json",
            r##"{"$ref": "#/definitions/a", "definitions": {"a": {"type": "object"}}}"##,
        )
        .file("redis/charts/common-1.0.0.tgz", nested.tgz())
}

fn mutated(mut bytes: Vec<u8>, changes: &[(Index, u8)]) -> Vec<u8> {
    for (place, value) in changes {
        let place = place.index(bytes.len());
        bytes[place] = *value;
    }
    bytes
}

#[test]
fn the_archive_that_is_mutated_below_is_good() {
    assert!(read_default(&good().tgz()).is_ok());
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        let _ = read_default(&bytes);
        let _ = read_default(&[&[0x1f, 0x8b, 0x08], &bytes[..]].concat());
        let _ = read_default(&gzip(&bytes));
    }

    #[test]
    fn a_damaged_archive_never_panics(changes in vec(any::<(Index, u8)>(), 1..8), cut: Index) {
        let bytes = mutated(good().tgz(), &changes);
        let _ = read_default(&bytes);
        let _ = read_default(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn a_damaged_tar_never_panics(changes in vec(any::<(Index, u8)>(), 1..8)) {
        let _ = read_default(&gzip(&mutated(good().bytes(), &changes)));
    }

    #[test]
    fn damaged_texts_never_panic(yaml in "[-a-z0-9:{}&*!|>\\[\\]'\"\n ]{0,80}", json in "[\\[\\]{}\":,$a-z0-9#/]{0,60}") {
        let _ = read_default(&Tar::default().file("redis/Chart.yaml", &yaml).tgz());
        let _ = read_default(&Tar::chart().file("redis/values.yaml", &yaml).tgz());
        let _ = read_default(&Tar::chart().file("redis/values.schema.json", &json).tgz());
    }

    #[test]
    fn whatever_is_accepted_is_within_the_limits(sizes in vec(0_usize..3000, 0..6)) {
        let limits = ArchiveLimits { unpacked_max_bytes: 8000, entries_max: 4, ..ArchiveLimits::default() };
        let tar = sizes.iter().enumerate().fold(Tar::chart(), |tar, (index, size)| {
            tar.file(&format!("redis/{index}"), vec![0; *size])
        });
        let fits = tar.clone().bytes().len() <= 8000 && sizes.len() < 4;
        prop_assert_eq!(read(&tar.tgz(), &limits).is_ok(), fits);
    }
}
