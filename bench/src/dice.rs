//! Repeatable dice.

/// SplitMix64 (Steele, Lea, Flood 2014), whose neighbouring seeds have nothing in common.
#[derive(Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// Between 0 and 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        ((mixed >> 33) as f64 + 0.5) / (1_u64 << 31) as f64
    }

    /// Once in so many times.
    pub(crate) fn once_in(&mut self, times: f64) -> bool {
        self.unit() * times < 1.0
    }
}
