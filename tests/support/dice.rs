//! Random numbers that can be had again: the seed is printed, and taken from `SEED` if that is set.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// A sequence of numbers that looks like chance and follows from its seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// A fresh one, or that of `SEED`. Says which.
    #[expect(clippy::print_stdout, reason = "a test that fails shows what it has printed")]
    pub fn cast() -> Self {
        let given = env::var("SEED").ok().filter(|it| !it.is_empty());
        let seed = given.map_or_else(
            || RandomState::new().hash_one("seed") >> 32,
            |it| it.parse().expect("SEED is no number"),
        );
        println!("SEED={seed}");
        Self::of(seed)
    }

    /// That of a seed.
    pub fn of(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number, of all there are.
    pub fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of a range.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.roll() % (range.end - range.start)
    }

    /// True as often as that of a hundred times.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.within(0..100) < chance
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(all.len()).unwrap();
        let index = usize::try_from(self.within(0..count.max(1))).unwrap();
        all.get(index)
    }
}
