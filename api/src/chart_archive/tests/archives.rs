//! Builds archives byte by byte.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::{ArchiveError, ArchiveLimits, Chart, read};

pub(super) const CHART_YAML: &str = "apiVersion: v2\nname: redis\nversion: 1.2.3\n";

/// A tar archive in the making.
#[derive(Clone, Default)]
pub(super) struct Tar(pub(super) Vec<u8>);

impl Tar {
    /// One that is a chart already.
    pub(super) fn chart() -> Self {
        Self::default().file("redis/Chart.yaml", CHART_YAML)
    }

    pub(super) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(b'0', path.as_bytes(), content.as_ref(), |_| {})
    }

    pub(super) fn pax(self, kind: u8, records: &[(&str, &str)]) -> Self {
        let records: String = records.iter().map(|(key, value)| pax_record(key, value)).collect();
        self.entry(kind, b"PaxHeaders/x", records.as_bytes(), |_| {})
    }

    /// Any entry; `change` may spoil the header before its checksum is made.
    pub(super) fn entry(mut self, kind: u8, path: &[u8], content: &[u8], change: impl FnOnce(&mut [u8; 512])) -> Self {
        let mut header = [0; 512];
        header[..path.len()].copy_from_slice(path);
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[156] = kind;
        header[257..265].copy_from_slice(b"ustar\x0000");
        change(&mut header);
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        self.0.extend(header);
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(super) fn bytes(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }

    pub(super) fn tgz(self) -> Vec<u8> {
        gzip(&self.bytes())
    }
}

pub(super) fn pax_record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + " =\n".len();
    let length = (rest..)
        .find(|length| *length == rest + length.to_string().len())
        .unwrap();
    format!("{length} {key}={value}\n")
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn read_default(tgz: &[u8]) -> Result<Chart, ArchiveError> {
    read(tgz, &ArchiveLimits::default())
}

#[track_caller]
pub(super) fn accepted(tar: Tar) -> Chart {
    read_default(&tar.tgz()).unwrap()
}

#[track_caller]
pub(super) fn refused(tar: Tar) -> ArchiveError {
    read_default(&tar.tgz()).unwrap_err()
}
