//! Numbers that look random and come again with the same seed.

/// `SplitMix64` (Steele, Lea, Flood, 2014): one addition and three mixing steps.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of `0..end`.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The seed of this run: what `CHARTHOUSE_TEST_SEED` says, so that a failure can be had again, or always the same.
#[must_use]
pub fn seed() -> u64 {
    std::env::var("CHARTHOUSE_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_261_122)
}
