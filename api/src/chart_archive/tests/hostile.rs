//! Each rule about the archive itself has an archive that breaks only this rule.

use super::super::{ArchiveLimits, read};
use super::archives::{CHART_YAML, Tar, accepted, gzip, pax_record, read_default, refused};

#[test]
fn an_archive_over_the_packed_limit_is_refused_unread() {
    let limits = ArchiveLimits {
        packed_max_bytes: 10,
        ..ArchiveLimits::default()
    };
    let error = read(&[0; 11], &limits).unwrap_err();
    assert_eq!(error.code(), "ARCHIVE_TOO_LARGE");
    assert_eq!(error.to_string(), "the archive has 11 bytes, the limit is 10 bytes");
}

#[test]
fn what_comes_out_of_the_decompressor_is_limited_to_the_byte() {
    let tar = Tar::chart().file("redis/zeros", vec![0; 100_000]);
    let unpacked = tar.clone().bytes().len() as u64;
    let with_limit = |unpacked_max_bytes| {
        read(
            &tar.clone().tgz(),
            &ArchiveLimits {
                unpacked_max_bytes,
                ..ArchiveLimits::default()
            },
        )
    };
    assert!(with_limit(unpacked).is_ok());
    let error = with_limit(unpacked - 1).unwrap_err();
    assert_eq!(error.code(), "ARCHIVE_UNPACKED_TOO_LARGE");
    assert!(error.to_string().contains(&(unpacked - 1).to_string()), "{error}");
}

#[test]
fn a_small_archive_of_endless_zeros_stops_at_the_limit() {
    let padded = [Tar::chart().bytes(), vec![0; 3 << 20]].concat();
    let limits = ArchiveLimits {
        unpacked_max_bytes: 1 << 20,
        ..ArchiveLimits::default()
    };
    assert_eq!(
        read(&gzip(&padded), &limits).unwrap_err().code(),
        "ARCHIVE_UNPACKED_TOO_LARGE"
    );
}

#[test]
fn entries_are_counted_directories_and_nested_archives_included() {
    let nested = Tar::default().file("common/Chart.yaml", "name: common\nversion: 1.0.0");
    let tar = Tar::chart()
        .entry(b'5', b"redis/templates/", b"", |_| {})
        .file("redis/charts/common.tgz", nested.tgz());
    let with_limit = |entries_max| {
        read(
            &tar.clone().tgz(),
            &ArchiveLimits {
                entries_max,
                ..ArchiveLimits::default()
            },
        )
    };
    assert!(with_limit(4).is_ok());
    let error = with_limit(3).unwrap_err();
    assert_eq!(error.code(), "ARCHIVE_TOO_MANY_ENTRIES");
    assert_eq!(
        error.to_string(),
        r#"the archive has more than 3 entries (reading stopped at "charts/common.tgz: common/Chart.yaml")"#
    );
}

#[test]
fn nested_archives_count_to_the_same_unpacked_limit() {
    let nested = Tar::default().file("common/zeros", vec![0; 200_000]);
    let tar = Tar::chart().file("redis/charts/common-1.0.0.tgz", nested.tgz());
    let limits = ArchiveLimits {
        unpacked_max_bytes: 100_000,
        ..ArchiveLimits::default()
    };
    assert_eq!(
        read(&tar.tgz(), &limits).unwrap_err().code(),
        "ARCHIVE_UNPACKED_TOO_LARGE"
    );
}

#[test]
fn charts_are_not_followed_into_each_other_for_ever() {
    let nest = |levels| {
        (0..levels).fold(Tar::chart(), |inner, _| {
            Tar::chart().file("redis/charts/redis.tgz", inner.tgz())
        })
    };
    accepted(nest(4));
    let error = refused(nest(5));
    assert_eq!(error.code(), "ARCHIVE_NESTED_TOO_DEEP");
    assert!(error.to_string().ends_with("more than 4 levels deep"), "{error}");
}

#[test]
fn a_file_that_is_parsed_has_its_own_limit() {
    let error = refused(Tar::chart().file("redis/values.yaml", vec![b' '; (1 << 20) + 1]));
    assert_eq!(error.code(), "ARCHIVE_FILE_TOO_LARGE");
    assert_eq!(
        error.to_string(),
        "redis/values.yaml has 1048577 bytes, the limit for this file is 1048576 bytes"
    );
}

#[test]
fn only_one_whole_gzip_member_is_accepted() {
    let good = Tar::chart().tgz();
    let code = |bytes: &[u8]| read_default(bytes).unwrap_err().code();
    assert_eq!(code(b""), "ARCHIVE_NOT_GZIP");
    assert_eq!(code(b"PK\x03\x04 a zip file"), "ARCHIVE_NOT_GZIP");
    assert_eq!(code(&good[..good.len() - 1]), "ARCHIVE_DAMAGED");
    assert_eq!(code(&good[..good.len() / 2]), "ARCHIVE_DAMAGED");
    assert_eq!(code(&[good.as_slice(), b"x"].concat()), "ARCHIVE_TRAILING_DATA");
    assert_eq!(code(&[good.clone(), good.clone()].concat()), "ARCHIVE_TRAILING_DATA");
    let mut wrong_checksum = good.clone();
    let checksum_at = good.len() - 8;
    wrong_checksum[checksum_at] ^= 1;
    assert_eq!(code(&wrong_checksum), "ARCHIVE_DAMAGED");
}

#[test]
fn what_is_compressed_has_to_be_a_whole_tar_archive() {
    let code = |bytes: &[u8]| read_default(&gzip(bytes)).unwrap_err().code();
    assert_eq!(code(b"apiVersion: v2"), "ARCHIVE_NOT_TAR");
    assert_eq!(code(&[b'x'; 2048]), "ARCHIVE_NOT_TAR");
    let whole = Tar::chart().bytes();
    assert_eq!(code(&[&whole[..], b"more"].concat()), "ARCHIVE_TRAILING_DATA");
    assert_eq!(
        code(&[&whole[..], &Tar::chart().bytes()].concat()),
        "ARCHIVE_TRAILING_DATA"
    );
    let mut wrong_checksum = whole.clone();
    wrong_checksum[0] = b'R';
    assert_eq!(code(&wrong_checksum), "ARCHIVE_NOT_TAR");
    assert_eq!(code(&whole[..512 + 10]), "ARCHIVE_TRUNCATED");
}

#[test]
fn links_are_refused() {
    for kind in [b'1', b'2', b'K'] {
        assert_eq!(
            refused(Tar::chart().entry(kind, b"redis/link", b"", |_| {})).code(),
            "ARCHIVE_LINK"
        );
    }
}

#[test]
fn devices_pipes_sparse_files_and_unknown_types_are_refused_by_name() {
    for (kind, name) in [
        (b'3', "a character device"),
        (b'4', "a block device"),
        (b'6', "a named pipe"),
        (b'7', "of an unknown type"),
        (b'S', "a sparse file"),
        (b'Z', "of an unknown type"),
    ] {
        let error = refused(Tar::chart().entry(kind, b"redis/odd", b"", |_| {}));
        assert_eq!(error.code(), "ARCHIVE_SPECIAL_FILE");
        assert!(
            error.to_string().starts_with(&format!("redis/odd is {name};")),
            "{error}"
        );
    }
}

#[test]
fn unsafe_paths_are_refused_with_their_reason() {
    for (path, reason) in [
        (&b"/redis/x"[..], "it is absolute"),
        (b"redis/../../etc/passwd", "it leaves its folder by '..'"),
        (b"../x", "it leaves its folder by '..'"),
        (b"redis\\x", "it holds a backslash"),
        (b"redis//x", "one of its parts is empty"),
        (b"redis/x/", "one of its parts is empty"),
        (b"./redis/x", "it holds '.' as a part"),
        (b"redis/c:/x", "it names a drive"),
        (b"redis/a\nb", "it holds a control character"),
        (b"redis/\xff", "it is not UTF-8"),
        (b"", "it is empty"),
    ] {
        let error = refused(Tar::chart().entry(b'0', path, b"", |_| {}));
        assert_eq!(error.code(), "ARCHIVE_PATH_UNSAFE", "{path:?}");
        assert!(error.to_string().ends_with(reason), "{error}");
    }
    let error = refused(Tar::chart().entry(b'5', b"redis/../..", b"", |_| {}));
    assert_eq!(error.code(), "ARCHIVE_PATH_UNSAFE");
}

#[test]
fn there_is_one_root_folder_and_each_file_is_in_it_once() {
    assert_eq!(
        refused(Tar::default().file("Chart.yaml", CHART_YAML)).code(),
        "ARCHIVE_NO_ROOT"
    );
    assert_eq!(
        refused(Tar::chart().file("other/x", "")).code(),
        "ARCHIVE_SEVERAL_ROOTS"
    );
    assert_eq!(
        refused(Tar::chart().entry(b'5', b"other/", b"", |_| {})).code(),
        "ARCHIVE_SEVERAL_ROOTS"
    );
    assert_eq!(
        refused(Tar::chart().file("redis/Chart.yaml", "name: evil")).code(),
        "ARCHIVE_DUPLICATE_FILE"
    );
}

#[test]
fn long_paths_are_read_in_both_ways_of_writing_them() {
    let long = format!("redis/{}/values.txt", "folder/".repeat(20).trim_end_matches('/'));
    let relative = &long["redis/".len()..];
    let pax = accepted(
        Tar::chart()
            .pax(b'x', &[("mtime", "1.5"), ("path", &long)])
            .file("redis/cut", "x"),
    );
    let gnu = accepted(
        Tar::chart()
            .entry(b'L', b"././@LongLink", format!("{long}\0").as_bytes(), |_| {})
            .file("redis/cut", "x"),
    );
    for chart in [pax, gnu] {
        assert_eq!(
            chart.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(),
            ["Chart.yaml", relative]
        );
    }
}

#[test]
fn extension_headers_that_readers_disagree_about_are_refused() {
    let sparse = [("GNU.sparse.name", "redis/Chart.yaml"), ("GNU.sparse.major", "1")];
    let odd = [
        Tar::chart().pax(b'x', &[("size", "0")]).file("redis/x", "x"),
        Tar::chart()
            .pax(b'x', &[("linkpath", "/etc/passwd")])
            .file("redis/x", "x"),
        Tar::chart().pax(b'x', &sparse).file("redis/x", "x"),
        Tar::chart()
            .pax(b'x', &[("path", "redis/a"), ("path", "redis/b")])
            .file("redis/x", "x"),
        Tar::chart().pax(b'x', &[("path", "")]).file("redis/x", "x"),
        Tar::chart().pax(b'g', &[("path", "redis/a")]).file("redis/x", "x"),
        Tar::chart()
            .pax(b'x', &[("path", "redis/a")])
            .entry(b'L', b"l", b"redis/b\0", |_| {})
            .file("redis/x", "x"),
        Tar::chart()
            .pax(b'x', &[("mtime", "1")])
            .pax(b'x', &[("path", "redis/a")])
            .file("redis/x", "x"),
        Tar::chart().pax(b'x', &[("path", "redis/a")]),
        Tar::chart()
            .entry(b'x', b"p", b"99 path=redis/a\n", |_| {})
            .file("redis/x", "x"),
        Tar::chart()
            .entry(
                b'x',
                b"p",
                format!("{}\n\n", pax_record("mtime", "1")).as_bytes(),
                |_| {},
            )
            .file("redis/x", ""),
    ];
    for (index, tar) in odd.into_iter().enumerate() {
        assert_eq!(refused(tar).code(), "ARCHIVE_AMBIGUOUS_HEADER", "archive {index}");
    }
    let long = vec![b'a'; 64 * 1024 + 1];
    assert_eq!(
        refused(Tar::chart().entry(b'L', b"l", &long, |_| {})).code(),
        "ARCHIVE_FILE_TOO_LARGE"
    );
}

#[test]
fn headers_that_readers_disagree_about_are_refused() {
    for (what, at, bytes) in [
        ("ustar of another version", 263, &b"  "[..]),
        ("star trailer", 508, b"tar\0"),
        ("binary size", 124, b"\x80"),
        ("size with a sign", 124, b"+"),
        ("file with the mode of a folder", 100, b"0040755"),
    ] {
        let error = refused(Tar::chart().entry(b'0', b"redis/x", b"", |header| {
            header[at..at + bytes.len()].copy_from_slice(bytes);
        }));
        assert_eq!(error.code(), "ARCHIVE_AMBIGUOUS_HEADER", "{what}: {error}");
    }
    let gnu_with_a_prefix = Tar::chart().entry(b'0', b"redis/x", b"", |header| {
        header[257..265].copy_from_slice(b"ustar  \0");
        header[345..349].copy_from_slice(b"evil");
    });
    assert_eq!(refused(gnu_with_a_prefix).code(), "ARCHIVE_AMBIGUOUS_HEADER");
    let folder_with_content = Tar::chart().entry(b'5', b"redis/x/", &[0; 512], |_| {});
    assert_eq!(refused(folder_with_content).code(), "ARCHIVE_AMBIGUOUS_HEADER");
}

#[test]
fn what_packers_add_harmlessly_is_accepted() {
    let commit = [("comment", "0123456789abcdef0123456789abcdef01234567")];
    let chart = accepted(
        Tar::default()
            .pax(b'g', &commit)
            .entry(b'5', b"redis/", b"", |_| {})
            .pax(
                b'x',
                &[
                    ("LIBARCHIVE.xattr.com.apple.provenance", "AQ"),
                    ("mtime", "1700000000.5"),
                ],
            )
            .file("redis/Chart.yaml", CHART_YAML)
            .entry(b'0', b"redis/charts/._common.tgz", b"AppleDouble", |_| {})
            .entry(b'\0', b"redis/old", b"", |header| header[257..265].fill(0)),
    );
    assert_eq!(chart.files.len(), 3);
}
