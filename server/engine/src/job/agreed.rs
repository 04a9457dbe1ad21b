//! What was agreed to when a run was asked for: whatever has happened since, it does not become something worse.

use bson::DateTime;
use model::Direction;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Error, Result,
    report::{DatabaseReport, DatasetReport},
    store::{Job, JobWish},
};

/// What of a plan must not be another when it is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// Which way the database goes; `None` if it stays, or only datasets were asked for.
    pub database: Option<Direction>,
    /// What goes down, as a hash; `None` if nothing does.
    pub down: Option<String>,
}

/// A plan as it is at one moment: what would have to be agreed to, and what of it goes down, in words.
#[derive(Clone, Debug)]
pub struct Course {
    /// What would have to be agreed to.
    pub agreed: Agreed,
    words: String,
}

/// A run as somebody has read it who decided by that what to do with it.
#[derive(Clone, Debug)]
pub struct AsRead {
    job: Box<Job>,
}

impl Course {
    /// That of a plan of these, whatever is to become of each.
    pub fn of<'a>(
        database: Option<&DatabaseReport>,
        datasets: impl IntoIterator<Item = &'a DatasetReport>,
    ) -> Self {
        let way = |it: &DatabaseReport| match (it.goes_up(), it.goes_down()) {
            (_, true) => Some(Direction::Down),
            (true, _) => Some(Direction::Up),
            _ => None,
        };
        let moved = database.filter(|it| it.destination.is_some());
        let falls = moved.filter(|it| way(it) == Some(Direction::Down));
        let ends = |it: &DatabaseReport| {
            let text = |it: &Option<String>| it.clone().unwrap_or_default();
            (text(&it.head), text(&it.destination))
        };
        let mut down: Vec<_> = datasets.into_iter().filter(|it| it.may_go_down()).collect();
        down.sort_by(|a, b| a.id.cmp(&b.id));
        let mut hash = Sha256::new();
        hash.update(format!("{:?}\n", falls.map(ends)));
        for it in &down {
            hash.update(format!("{} {:?} {:?}\n", it.id, it.head, it.destination));
        }
        let words = match (falls.map(ends), down.len()) {
            (Some((from, to)), _) => format!("the database would go down from {from} to {to}"),
            (None, 1) => "1 dataset would go down".to_owned(),
            (None, count) => format!("{count} datasets would go down"),
        };
        let falls = falls.is_some() || !down.is_empty();
        let down = falls.then(|| format!("{:x}", hash.finalize()));
        Self { agreed: Agreed { database: moved.and_then(way), down }, words }
    }
}

impl Agreed {
    /// Refuses to go another course than this. One that has begun has changed its own course by that, and only must not go
    /// down where nothing was to.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], with what is another.
    pub fn covers(&self, now: &Course, has_begun: bool) -> Result<()> {
        let Course { agreed, words } = now;
        let another = match (&self.down, &agreed.down) {
            (None, Some(_)) => format!("{words}, and nothing was to go down"),
            (Some(then), Some(now)) if then != now && !has_begun => {
                format!("{words}, and that is not what was to go down")
            }
            _ if agreed.database == Some(Direction::Up)
                && self.database != Some(Direction::Up)
                && !has_begun =>
            {
                "the database would go up, and was not to".to_owned()
            }
            _ => return Ok(()),
        };
        Err(Error::Refused(format!("the plan is another by now: {another}; plan it anew")))
    }
}

impl AsRead {
    /// As it is here.
    pub fn of(job: &Job) -> Self {
        Self { job: Box::new(job.clone()) }
    }

    /// Refuses to begin a run that somebody has moved, or wants something else of, since it was read. One that is carried
    /// out, or was left behind in the middle, may be told to rest at any moment: whoever has it sees that.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], with where it is.
    pub fn is_as(&self, now: &Job) -> Result<()> {
        let as_it_was = now.state == self.job.state && wanted(now) == wanted(&self.job);
        if now.state.is_active() || as_it_was {
            return Ok(());
        }
        let wanted = now.wish.as_ref().map(JobWish::words).unwrap_or_default();
        Err(Error::Refused(format!(
            "run {} is {} by now{wanted}; look at it again, and ask for what makes sense then",
            now.id, now.state
        )))
    }

    /// Refuses a course that was not agreed to.
    ///
    /// # Errors
    ///
    /// As [`Agreed::covers`].
    pub fn covers(&self, now: &Course) -> Result<()> {
        let Some(agreed) = &self.job.agreed else { return Ok(()) };
        // What was left in the middle was agreed to, and is half there: it goes on.
        if self.job.state.is_active() {
            return Ok(());
        }
        agreed.covers(now, self.job.started.is_some())
    }
}

/// What somebody wants of it.
fn wanted(job: &Job) -> Option<(DateTime, &str)> {
    job.wish.as_ref().map(JobWish::key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::tests::{dataset, report};

    fn course(from: &str, to: &str, datasets: &[(&str, &str)]) -> Course {
        let datasets = datasets.iter().map(|(name, head)| dataset(name, head, &[])).collect();
        let mut report = report(from, to, datasets);
        for it in &mut report.datasets {
            it.destination = Some(to.to_owned());
        }
        Course::of(report.database.as_ref(), &report.datasets)
    }

    fn refused(then: &Course, now: &Course, has_begun: bool) -> Option<String> {
        then.agreed.covers(now, has_begun).err().map(|it| it.to_string())
    }

    #[test]
    fn what_was_to_go_up_does_not_go_down() {
        let up = course("1.0.0", "1.10.0", &[("a", "1.0.0")]);
        let down = course("1.22.1", "1.10.0", &[("a", "1.22.1")]);
        for has_begun in [false, true] {
            assert_eq!(
                refused(&up, &down, has_begun).unwrap(),
                "the plan is another by now: the database would go down from 1.22.1 to 1.10.0, and nothing was to go \
                 down; plan it anew"
            );
        }
        let dataset = course("1.10.0", "1.10.0", &[("a", "1.22.1")]);
        assert!(refused(&up, &dataset, true).unwrap().contains("1 dataset would go down"));
        assert!(refused(&down, &up, false).unwrap().contains("would go up, and was not to"));
    }

    #[test]
    fn less_to_do_on_the_same_way_is_no_other_plan() {
        let up = course("1.0.0", "1.22.1", &[("a", "1.0.0"), ("b", "1.0.0")]);
        for now in [
            course("1.10.0", "1.22.1", &[("a", "1.22.1"), ("b", "1.0.0")]),
            course("1.22.1", "1.22.1", &[]),
            course("1.0.0", "1.22.1", &[("a", "1.0.0"), ("b", "1.0.0"), ("new", "1.0.0")]),
        ] {
            assert_eq!(refused(&up, &now, false), None);
        }
    }

    #[test]
    fn of_what_goes_down_exactly_that_was_agreed_to_until_it_has_begun() {
        let down = course("1.22.1", "1.0.0", &[("a", "1.22.1")]);
        assert_eq!(refused(&down, &down.clone(), false), None);
        let more = course("1.22.1", "1.0.0", &[("a", "1.22.1"), ("b", "1.22.1")]);
        assert!(refused(&down, &more, false).unwrap().contains("not what was to go down"));
        assert_eq!(refused(&down, &more, true), None);
    }
}
