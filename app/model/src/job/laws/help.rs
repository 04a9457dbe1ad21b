//! Those who help in the model: a share is one dataset.

use super::*;

/// Whether datasets are given to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division {
    /// They may be claimed.
    Open,
    /// None is claimed any more; some may still be in somebody's hands.
    Closing,
}

/// Somebody who helps, and how far its claim is. Each step is one command, or one look.
#[derive(Clone, Copy, Debug)]
pub struct Helper {
    /// The lease that it works for.
    lease: u64,
    /// It was told to stop.
    stopped: bool,
    at: At,
}

#[derive(Clone, Copy, Debug)]
enum At {
    Looked { dataset: usize },
    Drawn { dataset: usize, number: u64 },
    Claimed { dataset: usize, number: u64, until: u32, checked: bool, sent: Option<u32> },
}

impl Helper {
    /// Whether something of it may still arrive, or be sent.
    fn may_write(&self, now: u32) -> bool {
        let At::Claimed { until, checked, sent, .. } = self.at else { return false };
        sent.is_some_and(|limit| now < limit) || (checked && !self.stopped && now < until)
    }
}

impl World {
    /// A holder lets others help, if the lease is still its own.
    pub fn divide(&mut self, at: usize) {
        let Some(hand) = self.servers[at] else { return };
        let leads = hand.began && !hand.back && !hand.stopped && hand.sent.is_none();
        let is_ours = self.lease == hand.fence && self.expires > self.now;
        if leads && is_ours && hand.decided.is_none() && self.state == Running {
            self.division = Some(Division::Open);
        }
    }

    /// Ends the division, for a holder that is to be alone. Whether it is.
    pub fn is_undivided(&mut self, at: usize) -> bool {
        let Some(hand) = self.servers[at] else { return true };
        if self.division.is_none() {
            return true;
        }
        if self.lease != hand.fence {
            // Not ours to end; whatever it decides is refused, unless nobody has moved the run since.
            return false;
        }
        self.division = Some(Division::Closing);
        let now = self.now;
        if self.claims.iter().flatten().any(|(_, expires)| *expires > now) {
            return false;
        }
        self.claims = [None; DATASETS];
        self.division = None;
        true
    }

    pub fn help(&mut self, at: usize) {
        let Some(helper) = self.helpers[at] else { return self.look_for_work(at) };
        let now = self.now;
        match helper.at {
            At::Looked { dataset } => {
                // A number is drawn from the lease that is known, or not at all.
                if self.lease != helper.lease {
                    self.helpers[at] = None;
                    return;
                }
                self.numbers = self.numbers.max(self.lease) + 1;
                let at_now = At::Drawn { dataset, number: self.numbers };
                self.helpers[at] = Some(Helper { at: at_now, ..helper });
            }
            At::Drawn { dataset, number } => {
                // The share is a document of its own: nothing of the lease is known to this command, and it may be there
                // for longer than it may be claimed.
                let free = self.claims[dataset]
                    .is_none_or(|(other, expires)| expires <= now && other < number);
                if !free {
                    self.helpers[at] = None;
                    return;
                }
                self.claims[dataset] = Some((number, now + TTL));
                let until = now + WRITING;
                let claimed = At::Claimed { dataset, number, until, checked: false, sent: None };
                self.helpers[at] = Some(Helper { at: claimed, ..helper });
            }
            At::Claimed { dataset, number, until, checked: false, .. } => {
                if self.lease == helper.lease && self.division == Some(Division::Open) {
                    let claimed = At::Claimed { dataset, number, until, checked: true, sent: None };
                    self.helpers[at] = Some(Helper { at: claimed, ..helper });
                } else {
                    self.give_back(at);
                }
            }
            At::Claimed { dataset, number, until, checked, sent: None } => {
                if helper.stopped || now >= until || self.datasets[dataset] != Dataset::Ahead {
                    return self.give_back(at);
                }
                let sent = Some(now + TTL - WRITING);
                let claimed = At::Claimed { dataset, number, until, checked, sent };
                self.helpers[at] = Some(Helper { at: claimed, ..helper });
            }
            At::Claimed { dataset, number, until, checked, sent: Some(limit) } => {
                let claimed = At::Claimed { dataset, number, until, checked, sent: None };
                self.helpers[at] = Some(Helper { at: claimed, ..helper });
                if now < limit {
                    self.writes(&helper, dataset, number);
                }
            }
        }
    }

    fn look_for_work(&mut self, at: usize) {
        let dataset = (0..DATASETS).find(|it| {
            let free = self.claims[*it].is_none_or(|(_, expires)| expires <= self.now);
            free && self.datasets[*it] == Dataset::Ahead
        });
        if let Some(dataset) = dataset
            && self.division == Some(Division::Open)
        {
            let (lease, at_now) = (self.lease, At::Looked { dataset });
            self.helpers[at] = Some(Helper { lease, stopped: false, at: at_now });
        }
    }

    /// Nobody who leads under a later lease has written by then, and nobody who has claimed the same later.
    fn writes(&mut self, helper: &Helper, dataset: usize, number: u64) {
        assert!(helper.lease >= self.wrote, "{helper:?} wrote after {}: {self:?}", self.wrote);
        assert!(number >= self.noted[dataset], "{helper:?} wrote after another claim: {self:?}");
        assert!(
            !matches!(self.state, Paused | Cancelled | Undoing) && !self.is_done(),
            "{helper:?} wrote into a run that rests: {self:?}"
        );
        self.noted[dataset] = number;
        if self.datasets[dataset] == Dataset::Ahead {
            self.datasets[dataset] = Dataset::Done;
        }
    }

    fn is_done(&self) -> bool {
        matches!(self.state, Verifying | Completed | CompletedWithFailures | Failed | Undone)
    }

    fn give_back(&mut self, at: usize) {
        if let Some(Helper { at: At::Claimed { dataset, number, .. }, .. }) =
            self.helpers[at].take()
            && let Some((claim, expires)) = &mut self.claims[dataset]
            && *claim == number
        {
            *expires = (*expires).min(self.now);
        }
    }

    pub fn renew_claim(&mut self, at: usize) {
        let now = self.now;
        let Some(helper) = self.helpers[at].as_mut() else { return };
        let At::Claimed { dataset, number, until, .. } = &mut helper.at else { return };
        match &mut self.claims[*dataset] {
            Some((claim, expires)) if claim == number && *expires > now => {
                *expires = now + TTL;
                *until = now + WRITING;
            }
            _ => helper.stopped = true,
        }
    }

    pub fn look_out(&mut self, at: usize) {
        let open = self.division == Some(Division::Open) && self.state == Running;
        let lease = self.lease;
        if let Some(helper) = self.helpers[at].as_mut() {
            helper.stopped |= !open || helper.lease != lease;
        }
    }

    /// Whoever moves the run is alone.
    pub fn nobody_helps(&self) {
        let now = self.now;
        assert!(!self.helpers.iter().flatten().any(|it| it.may_write(now)), "{self:?}");
    }

    /// A moment at which nothing is held any more.
    pub fn all_run_out(&self) -> u32 {
        let claims = self.claims.iter().flatten().map(|(_, expires)| *expires).max();
        self.now.max(self.expires).max(claims.unwrap_or(0)) + 1
    }
}
