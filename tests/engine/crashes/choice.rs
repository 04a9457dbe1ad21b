//! Which points are tried: all of them with `CRASHES=all`, otherwise some, and others each time.

use std::collections::BTreeSet;
use std::env;

use tests::{Cut, Dice};

use crate::place::End;

/// A choice of points.
#[derive(Clone, Debug)]
pub struct Choice {
    dice: Dice,
    /// How many of them; `None` for all.
    count: Option<usize>,
}

impl Choice {
    /// Every point, or so many each time.
    pub fn of(count: usize, dice: &mut Dice) -> Self {
        let all = env::var("CRASHES").is_ok_and(|it| it == "all");
        Self { dice: Dice::of(dice.roll()), count: (!all).then_some(count) }
    }

    /// After how many writes, of so many in all, something ends.
    pub fn points(&mut self, writes: usize) -> BTreeSet<usize> {
        let Some(count) = self.count.filter(|it| *it < writes) else {
            return (0..writes).collect();
        };
        let mut points = BTreeSet::new();
        while points.len() < count {
            let point = self.dice.within(0..u64::try_from(writes).unwrap());
            points.insert(usize::try_from(point).unwrap());
        }
        points
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
