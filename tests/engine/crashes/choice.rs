//! Which points are tried: all of them with `CRASHES=all`, otherwise some, and others each time.

use std::env;

use tests::{Cut, Dice};

use crate::place::End;

/// A choice of points.
#[derive(Clone, Debug)]
pub struct Choice {
    dice: Dice,
    /// How many are left out for each that is tried.
    sparing: u64,
}

impl Choice {
    /// Every point, or one of so many.
    pub fn of_one_in(sparing: u64, dice: &mut Dice) -> Self {
        let all = env::var("CRASHES").is_ok_and(|it| it == "all");
        Self { dice: Dice::of(dice.roll()), sparing: if all { 1 } else { sparing } }
    }

    /// After how many writes, of so many in all, something ends.
    pub fn points(&mut self, writes: usize) -> Vec<usize> {
        let step = usize::try_from(self.sparing).unwrap();
        let first = usize::try_from(self.dice.within(0..self.sparing)).unwrap();
        (first..writes).step_by(step).collect()
    }

    /// How it ends there. Mostly in a world of its own, which takes the least time.
    pub fn end(&mut self) -> End {
        match self.dice.within(0..8) {
            0 => End::Killed,
            1 => End::Loses(Cut::Lost),
            2 => End::Loses(Cut::Unanswered),
            _ => End::Dies,
        }
    }
}
