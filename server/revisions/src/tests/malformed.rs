//! Documents that somebody damaged: keys dropped, nulled, of other types, or too many.
//!
//! Each is either taken across or refused with a reason; nothing panics, and it makes no difference how many
//! revisions are crossed at once.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};

use super::coalescing::agrees;
use super::state::{NEWEST, State, targets};
use crate::Dataset;

#[test]
fn no_damage_makes_a_revision_panic() {
    let seed = std::env::var("SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(0x0f1f_7e0e);
    let cases = std::env::var("CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(1_500);
    let targets = targets();
    let states: BTreeMap<&str, State> = targets
        .iter()
        .map(String::as_str)
        .chain([NEWEST])
        .map(|it| (it, State::read(it)))
        .collect();
    let mut chance = Chance(seed);
    let mut crossed = 0;
    for case in 0..cases {
        let from = match chance.below(3) {
            0 => NEWEST.to_owned(),
            _ => targets[chance.below(targets.len())].clone(),
        };
        let to = match chance.below(4) {
            0 => NEWEST.to_owned(),
            1 => "0.6.1".to_owned(),
            _ => targets[chance.below(targets.len())].clone(),
        };
        let state = &states[from.as_str()];
        let mut dataset = state.datasets[chance.below(state.datasets.len())].clone();
        for _ in 0..=chance.below(4) {
            damage(&mut dataset, &mut chance);
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            agrees(state, &dataset, &from, &to);
            state.fold(&dataset, &from, &to).is_ok()
        }));
        let Ok(done) = outcome else {
            panic!("case {case} of SEED={seed} failed, {from} -> {to}: {dataset:#?}")
        };
        crossed += usize::from(done);
    }
    // Else this would prove nothing about what comes after the first refusal.
    assert!(crossed > cases / 10, "only {crossed} of {cases} got across");
}

/// A small generator of its own, so that a seed means the same on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((it ^ (it >> 31)) % end as u64).unwrap()
    }

    fn value(&mut self) -> Bson {
        match self.below(11) {
            0..3 => Bson::Null,
            3 => "text".into(),
            4 => "".into(),
            5 => 7.into(),
            6 => true.into(),
            7 => doc! {}.into(),
            8 => Bson::Array(vec![Bson::Null, 1.into()]),
            9 => doc! { "key": { "inner": null } }.into(),
            _ => match self.below(3) {
                0 => ObjectId::from_bytes([9; 12]).into(),
                1 => DateTime::from_millis(-1).into(),
                _ => Bson::Array(Vec::new()),
            },
        }
    }
}

fn damage(dataset: &mut Dataset, chance: &mut Chance) {
    let runs = dataset.runs.len();
    match chance.below(8) {
        0 if runs > 0 => {
            if let Some(run) = dataset.runs.values_mut().nth(chance.below(runs)) {
                damage_inside(run, chance);
            }
        }
        1 if runs > 0 => {
            // The reference dangles.
            let id = *dataset.runs.keys().nth(chance.below(runs)).unwrap();
            dataset.runs.remove(&id);
        }
        _ => damage_inside(&mut dataset.document, chance),
    }
}

fn damage_inside(document: &mut Document, chance: &mut Chance) {
    if document.is_empty() || chance.below(12) == 0 {
        document.insert("extra", chance.value());
        return;
    }
    let key = document.keys().nth(chance.below(document.len())).unwrap().clone();
    match document.get_mut(&key).unwrap() {
        Bson::Document(inner) if chance.below(3) > 0 => damage_inside(inner, chance),
        Bson::Array(items) if !items.is_empty() && chance.below(3) > 0 => {
            let index = chance.below(items.len());
            match &mut items[index] {
                Bson::Document(inner) if chance.below(5) > 0 => damage_inside(inner, chance),
                item => *item = chance.value(),
            }
        }
        _ if chance.below(2) == 0 => {
            document.remove(&key);
        }
        value => *value = chance.value(),
    }
}
