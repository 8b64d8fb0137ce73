//! A seeded random number generator.

/// A random number generator (SplitMix64): the same seed gives the same values on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `n`; 0 if `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        if n < 2 { 0 } else { (self.throw() % n as u64) as usize }
    }

    /// Returns true with a probability of 1 in `n`.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Returns a number between two inclusive bounds, which are more likely than the numbers between them.
    pub(crate) fn between(&mut self, least: usize, most: usize) -> usize {
        match self.below(8) {
            0 => least,
            1 => most.max(least),
            _ => least + self.below(most.saturating_sub(least).saturating_add(1)),
        }
    }
}
