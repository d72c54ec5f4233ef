//! Pictures, drawn on the spot.

use std::io::Write as _;

use flate2::{Compression, Crc, write::ZlibEncoder};

/// A grey PNG.
///
/// # Panics
///
/// Never: writing to memory does not fail.
#[must_use]
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let row = vec![0x80; width as usize + 1];
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    for _ in 0..height {
        // The first byte of a row says that it is not filtered.
        zlib.write_all(&[&[0], &row[1..]].concat())
            .expect("memory takes all bytes");
    }
    let pixels = zlib.finish().expect("memory takes all bytes");
    // 8 bits, grey, the only compression, the only filter method, not interlaced
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes()[..], &[8, 0, 0, 0, 0]].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", vec![])] {
        chunk(&mut png, kind, &data);
    }
    png
}

/// A chunk of a PNG: length, type, data, checksum over the last two (W3C PNG specification, 5.3).
fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).expect("test pictures are small");
    let mut checksum = Crc::new();
    checksum.update(kind);
    checksum.update(data);
    png.extend_from_slice(&length.to_be_bytes());
    png.extend_from_slice(kind);
    png.extend_from_slice(data);
    png.extend_from_slice(&checksum.sum().to_be_bytes());
}
