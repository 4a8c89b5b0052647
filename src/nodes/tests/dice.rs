//! Chance that comes out the same each time.

/// SplitMix64 (Steele, Lea, Flood 2014): neighbouring seeds have nothing in common.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `most`.
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }

    /// Once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Milliseconds in nanoseconds, up to so many, and mostly few.
    pub(crate) fn millis(&mut self, most: u64) -> i64 {
        let most = if self.once_in(8) { most } else { most / 8 };
        (self.below(most * 1_000_000 + 1)) as i64
    }
}
