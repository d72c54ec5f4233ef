//! The disk, which bounds every rate of durable things.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    time::{Duration, Instant},
};

/// How often a second the disk makes an overwritten page durable: the limit of one commit at a time.
pub(crate) fn flushes_per_second() -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("page")).unwrap();
    let page = [7; 8_192];
    file.write_all_at(&page, 0).unwrap();
    file.sync_all().unwrap();
    let started = Instant::now();
    let mut flushes = 0;
    while started.elapsed() < Duration::from_secs(2) {
        file.write_all_at(&page, 0).unwrap();
        file.sync_data().unwrap();
        flushes += 1;
    }
    f64::from(flushes) / started.elapsed().as_secs_f64()
}
