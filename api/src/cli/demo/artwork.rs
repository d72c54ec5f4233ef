//! What the isv uploads: two charts written for this project, and an icon drawn on the spot.

use std::io::{self, Write as _};

use flate2::{Compression, Crc, write::ZlibEncoder};
use include_dir::{Dir, include_dir};

use crate::chart_archive::pack;

static REDIS_11: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/demo/charts/redis-11.3.4/redis");
static REDIS_12: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/demo/charts/redis-12.0.0/redis");

const SIDE_PX: usize = 96;

pub fn redis_11_3_4() -> io::Result<Vec<u8>> {
    pack::pack_dir("redis", &REDIS_11)
}

pub fn redis_12_0_0() -> io::Result<Vec<u8>> {
    pack::pack_dir("redis", &REDIS_12)
}

/// Three stacked discs on white, as a PNG.
pub fn icon() -> io::Result<Vec<u8>> {
    let mut pixels = Vec::with_capacity(SIDE_PX * (SIDE_PX * 3 + 1));
    for y in 0..SIDE_PX {
        pixels.push(0); // this row is not filtered
        for x in 0..SIDE_PX {
            pixels.extend_from_slice(&colour(x, y));
        }
    }
    let mut zlib = ZlibEncoder::new(vec![], Compression::best());
    zlib.write_all(&pixels)?;
    let side = u32::try_from(SIDE_PX).unwrap_or_default().to_be_bytes();
    // 8 bits a channel, RGB, the only compression, the only filter method, not interlaced
    let header = [&side[..], &side[..], &[8, 2, 0, 0, 0]].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, b"IHDR", &header);
    chunk(&mut png, b"IDAT", &zlib.finish()?);
    chunk(&mut png, b"IEND", &[]);
    Ok(png)
}

fn colour(x: usize, y: usize) -> [u8; 3] {
    let inside = |centre_y: usize| {
        let (dx, dy) = (x.abs_diff(48), y.abs_diff(centre_y) * 3);
        dx * dx + dy * dy < 38 * 38
    };
    match [30, 48, 66].into_iter().position(inside) {
        Some(0) => [0xd8, 0x2c, 0x20],
        Some(1) => [0xa4, 0x1e, 0x11],
        Some(_) => [0x7a, 0x12, 0x09],
        None => [0xff, 0xff, 0xff],
    }
}

/// A chunk of a PNG: length, type, data, checksum over the last two (W3C PNG specification, 5.3).
fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    png.extend_from_slice(&u32::try_from(data.len()).unwrap_or_default().to_be_bytes());
    png.extend_from_slice(kind);
    png.extend_from_slice(data);
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(data);
    png.extend_from_slice(&crc.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chart_archive, icon};

    #[test]
    fn the_demos_icon_keeps_the_rules_for_icons() {
        assert_eq!(icon::check(&super::icon().unwrap()), Ok(icon::ImageKind::Png));
    }

    #[test]
    fn the_demos_charts_are_the_two_versions_of_the_story() {
        for (archive, version) in [(redis_11_3_4().unwrap(), "11.3.4"), (redis_12_0_0().unwrap(), "12.0.0")] {
            let chart = chart_archive::read(&archive, &chart_archive::ArchiveLimits::default()).unwrap();
            assert_eq!(
                (chart.metadata.name.as_str(), chart.metadata.version.as_str()),
                ("redis", version)
            );
        }
    }
}
