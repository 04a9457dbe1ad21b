//! Looking at the samples and frames of what was migrated: whether they are all there, and whether all of them are what
//! the pass over them makes of them.

use std::time::Duration;

use bson::oid::ObjectId;
use model::Labor;
use revisions::Form;
use sha2::{Digest, Sha256};

use super::{Verdict, Verifying, before::standings};
use crate::{
    pass::Halt,
    store::{Broken, Check, Checked, Failure, LONGEST_WRITE, Mark, Passed, Range, Standing},
};

/// How many collections are looked into by one command, and how long that may take before each is looked into for itself.
const TOGETHER: usize = 64;
const AT_ONCE: Duration = Duration::from_secs(1);

/// How many documents one range of a large collection has.
const RANGE_DOCUMENTS: u64 = 50_000;

/// How many collections of a group are looked into although nobody else has written to them, chosen by lot: of as many as
/// a deployment has, a mistake in ours would be seen in some of them.
const LOTS: usize = 8;

/// How often what came too late is passed over again. Whoever still writes then goes on with it.
const ROUNDS: usize = 3;

/// Which stage of a dataset the marks of a verification are of: none.
const VERIFYING: i64 = -1;

/// A collection that has to be looked into: of which dataset of a group, and what its documents are to be.
type Suspect<'c> = (usize, &'c Passed, Form);

impl Verifying<'_> {
    /// Looks at the collections of those datasets of a group that are where they were to go. `same`: the same process answers
    /// as before the migration.
    pub(super) async fn collections(
        &self,
        check: &Check,
        same: bool,
        ours: &mut [(&Checked, Verdict)],
    ) -> Result<(), Halt> {
        let arrived = ours.iter().enumerate().filter(|(_, (_, it))| !it.back);
        let all: Vec<(usize, &Passed)> = arrived
            .flat_map(|(at, (dataset, _))| dataset.collections.iter().map(move |it| (at, it)))
            .collect();
        let names: Vec<&str> = all.iter().map(|(_, it)| it.collection.as_str()).collect();
        let standings = standings(self.store, &names).await?;
        let mut suspects: Vec<Suspect<'_>> = Vec::new();
        let mut told = Vec::new();
        for (at, passed) in all {
            let now = standings.get(&passed.collection).copied();
            if !check.late
                && let Some(found) = self.counted(passed, now, same).await?
            {
                told.push((at, found));
            }
            let untouched = same && is_untouched(passed, now) && check.again.is_none();
            if let Some(form) = passed.form()
                && (!untouched || drawn(check, passed))
            {
                suspects.push((at, passed, form));
            }
        }
        for (at, found) in told {
            ours[at].1.found.push(found);
        }
        for together in suspects.chunks(TOGETHER) {
            for (at, passed, form) in self.broken(together).await? {
                let told = self.again(ours[at].0, passed, &form).await?;
                let verdict = &mut ours[at].1;
                match told {
                    Ok(found) => verdict.found.extend(found),
                    Err(wrong) => verdict.wrong.push(wrong),
                }
            }
        }
        Ok(())
    }

    /// What there is to say of how many documents a collection has. The engine neither adds nor removes any, so that
    /// whatever differs is somebody else's doing, or the server's.
    async fn counted(
        &self,
        passed: &Passed,
        now: Option<Standing>,
        same: bool,
    ) -> Result<Option<String>, Failure> {
        let (Some(before), Some(now)) = (passed.before, now) else {
            if passed.before.is_some() {
                return Ok(Some(format!(
                    "its {} cannot be counted any more: its collection is gone, or the server does not say",
                    passed.holds
                )));
            }
            return Ok(None);
        };
        let (before, mut now) = (before.documents, now.documents);
        if before == now {
            return Ok(None);
        }
        if !same {
            // What a server keeps beside a collection may be wrong after a crash: then they are counted one by one.
            match self.store.count_documents(&passed.collection, LONGEST_WRITE).await {
                Err(failure) if failure.is_too_slow() => {}
                counted => now = counted?,
            }
        }
        let holds = &passed.holds;
        Ok(match before - now {
            0 => None,
            fewer if fewer > 0 => Some(format!(
                "it has {fewer} {holds} fewer than before it was migrated ({before} then, {now} now); no migration \
                 removes any: if nobody else has deleted them, they are lost; bring them back from a backup"
            )),
            more => Some(format!("it has {} {holds} more than before it was migrated", -more)),
        })
    }

    /// Those of these collections that have documents which are not what they were to be.
    async fn broken<'c>(&self, suspects: &[Suspect<'c>]) -> Result<Vec<Suspect<'c>>, Halt> {
        if !self.control.may_go_on().await {
            return Err(Halt::Stopped);
        }
        let asked: Vec<(&str, &Form)> =
            suspects.iter().map(|(_, it, form)| (it.collection.as_str(), form)).collect();
        match self.store.broken_in(&asked, AT_ONCE).await {
            // Each for itself, then.
            Err(failure) if failure.is_too_slow() => Ok(suspects.to_vec()),
            broken => {
                let found = suspects.iter().zip(broken?).filter(|(_, it)| it.is_some());
                Ok(found.map(|(it, _)| it.clone()).collect())
            }
        }
    }

    /// Counts what is not as it was to be, and does again to it what was done to all others, until nothing is left. What
    /// people should know, or what is wrong.
    async fn again(
        &self,
        dataset: &Checked,
        passed: &Passed,
        form: &Form,
    ) -> Result<Result<Option<String>, String>, Halt> {
        let holds = &passed.holds;
        let (mut count, mut broken) = (0, self.scan(dataset, passed, form).await?);
        for _ in 0..ROUNDS {
            if broken.count == 0 {
                return Ok(Ok((count > 0).then(|| {
                    format!("{count} {holds} that an older client wrote meanwhile were migrated after it")
                })));
            }
            let Some(stages) = passed.stages().filter(|it| !it.is_empty()) else { break };
            count += self.pass_again(passed, form, &stages).await?;
            broken = self.scan(dataset, passed, form).await?;
        }
        if broken.count == 0 {
            return Ok(Ok(Some(format!(
                "{count} {holds} that an older client wrote meanwhile were migrated after it"
            ))));
        }
        let (left, example) = (broken.count, broken.example.unwrap_or_default());
        let destination = &dataset.destination;
        Ok(Err(format!(
            "{left} of its {holds}, for example `{example}`, are not as v{destination} has them: an older client writes \
             them; disconnect it, and retry the run"
        )))
    }

    /// Counts the documents of a collection that are not of a form: at once, or in ranges, from where a verification that
    /// was interrupted had come without finding any.
    async fn scan(&self, dataset: &Checked, passed: &Passed, form: &Form) -> Result<Broken, Halt> {
        let name = passed.collection.as_str();
        match self.store.count_broken(name, &Range::all(), form, AT_ONCE).await {
            Err(failure) if failure.is_too_slow() => {}
            all => return Ok(all?),
        }
        let mark = Mark {
            run: self.hand.id(),
            fence: self.hand.fence(),
            dataset: dataset.id.clone(),
            stage: VERIFYING,
            collection: name.to_owned(),
            print: dataset.destination.clone(),
        };
        let from = self.store.mark(&mark).await?;
        let (mut after, mut looked) = from.map_or((None, 0), |it| (Some(it.after), it.documents));
        let (mut size, mut broken) = (RANGE_DOCUMENTS, Broken::default());
        loop {
            if !self.control.may_go_on().await {
                return Err(Halt::Stopped);
            }
            let range = self.store.next_range(name, after.as_ref(), size).await?;
            let stint = self.control.tally().stint();
            match self.store.count_broken(name, &range, form, LONGEST_WRITE).await {
                Err(failure) if failure.is_too_slow() && size > 1 => {
                    size = size.div_ceil(2);
                    continue;
                }
                found => {
                    let found = found?;
                    broken.count += found.count;
                    broken.example = broken.example.or(found.example);
                }
            }
            stint.did(Labor::Look, if range.until.is_some() { size } else { 0 });
            looked += size;
            let Some(until) = range.until else {
                // Whoever looks again looks at all of it.
                self.store.forget_mark(&mark).await?;
                return Ok(broken);
            };
            if broken.count == 0 {
                self.store.set_mark(&mark, &until, looked).await?;
            }
            after = Some(until);
        }
    }

    /// Passes over those that are not of a form once more, in bounded pieces. How many those were.
    async fn pass_again(
        &self,
        passed: &Passed,
        form: &Form,
        stages: &[bson::Document],
    ) -> Result<u64, Halt> {
        let name = passed.collection.as_str();
        let (mut after, mut size, mut count) = (None, RANGE_DOCUMENTS, 0);
        loop {
            // Last before it is written: the lease may be somebody else's by now.
            if !self.control.may_go_on().await {
                return Err(Halt::Stopped);
            }
            let range = self.store.next_range(name, after.as_ref(), size).await?;
            match self.store.pass_again(name, &range, (form, stages), LONGEST_WRITE).await {
                Err(failure) if failure.is_too_slow() && size > 1 => {
                    size = size.div_ceil(2);
                    continue;
                }
                changed => {
                    count += changed?;
                    self.control.wrote();
                }
            }
            let Some(until) = range.until else { return Ok(count) };
            after = Some(until);
        }
    }
}

/// Whether nobody else has written to a collection, as far as the server counts that: not what another collection was
/// merged into it, which is seen by what is drawn and by how many documents there are.
fn is_untouched(passed: &Passed, now: Option<Standing>) -> bool {
    let (Some(before), Some(now), Some(ours)) = (passed.before, now, passed.writes) else {
        return false;
    };
    let expected = before.writes.map(|it| it + ours);
    before.documents == now.documents && expected.is_some() && now.writes == expected
}

/// Whether a collection is looked into whatever the server says: the same ones for the same run.
fn drawn(check: &Check, passed: &Passed) -> bool {
    lot(check.id.run, check.count, &passed.collection)
}

fn lot(run: ObjectId, count: i64, collection: &str) -> bool {
    let hash = Sha256::new().chain_update(run.bytes()).chain_update(collection).finalize();
    let number = u64::from_be_bytes([
        hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7],
    ]);
    number % u64::try_from(count).unwrap_or(1).max(1) < u64::try_from(LOTS).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(before: (i64, Option<i64>), ours: Option<i64>) -> Passed {
        let (documents, writes) = before;
        Passed {
            collection: "samples.a".to_owned(),
            holds: "samples".to_owned(),
            before: Some(Standing { documents, writes }),
            writes: ours,
            there: Vec::new(),
            gone: Vec::new(),
            stages: None,
        }
    }

    fn now(documents: i64, writes: i64) -> Option<Standing> {
        Some(Standing { documents, writes: Some(writes) })
    }

    #[test]
    fn only_what_stands_as_our_own_writes_leave_it_is_untouched() {
        let ours = passed((10, Some(3)), Some(1));
        assert!(is_untouched(&ours, now(10, 4)));
        for other in [now(10, 5), now(10, 3), now(11, 4), None] {
            assert!(!is_untouched(&ours, other), "{other:?}");
        }
        assert!(!is_untouched(&passed((10, None), Some(1)), now(10, 4)));
        let silent = Some(Standing { documents: 10, writes: None });
        assert!(!is_untouched(&passed((10, None), Some(1)), silent));
        assert!(!is_untouched(&passed((10, Some(3)), None), now(10, 4)));
    }

    #[test]
    fn lots_are_the_same_again_and_about_as_many_as_were_asked_for() {
        let run = ObjectId::from_bytes([7; 12]);
        let drawn = |run| (0..128_000).filter(|it| lot(run, 128, &it.to_string())).count();
        let count = drawn(run);
        assert!((7_000..9_000).contains(&count), "{count} of 128,000");
        assert_eq!(count, drawn(run));
        // Of a few, all.
        assert!((0..100).all(|it| lot(run, 8, &it.to_string())));
    }
}
