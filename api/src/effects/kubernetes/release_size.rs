//! How large Helm's record of a release is. Kubernetes keeps it in a Secret, and refuses one of more than 1 MiB.

use std::io::{self, Read, Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::json;

/// Most bytes in the data of a Secret.
pub(super) const RECORD_MAX_BYTES: u64 = 1 << 20;

/// About how many bytes the record takes: the chart's own files, what was rendered of them, and the values; compressed,
/// and in base64. Charts inside the chart are in what was rendered only.
///
/// # Errors
///
/// If the chart is not an archive.
pub(super) fn record_bytes(chart: &[u8], manifest: &str, values: &str) -> io::Result<u64> {
    let mut record = GzEncoder::new(Counter(0), Compression::best());
    let mut archive = tar::Archive::new(GzDecoder::new(chart));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        let name = path.split_once('/').map_or(path.as_str(), |(_, name)| name).to_owned();
        if name.starts_with("charts/") {
            continue;
        }
        let mut content = vec![];
        entry.read_to_end(&mut content)?;
        let file = json!({ "name": name, "data": STANDARD.encode(content) });
        record.write_all(file.to_string().as_bytes())?;
    }
    let rest = json!({ "manifest": manifest, "config": values });
    record.write_all(rest.to_string().as_bytes())?;
    Ok(record.finish()?.0.div_ceil(3) * 4)
}

struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that do not compress.
    fn noise(count: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56).to_le_bytes()[0]
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    fn chart(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(vec![], Compression::fast()));
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, path, *content).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn files_of_the_chart_count_and_packaged_charts_do_not() {
        let (large, small) = (noise(900_000), noise(100));
        let own = chart(&[("app/files/data", &large), ("app/Chart.yaml", &small)]);
        assert!(record_bytes(&own, "", "").unwrap() > RECORD_MAX_BYTES);
        let inner = chart(&[("app/charts/inner.tgz", &large), ("app/Chart.yaml", &small)]);
        assert!(record_bytes(&inner, "", "").unwrap() < RECORD_MAX_BYTES / 10);
    }

    #[test]
    fn what_repeats_itself_takes_little() {
        let chart = chart(&[("app/templates/a.yaml", &b"a: b\n".repeat(500_000))]);
        assert!(record_bytes(&chart, "", "").unwrap() < RECORD_MAX_BYTES / 10);
        assert!(record_bytes(b"no archive", "", "").is_err());
    }
}
