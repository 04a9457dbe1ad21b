//! Everything that can be cut off in one case: on the way there and on the way back, after each write.

use engine::JobState;
use tests::{Dump, Mongod, assert_same};

use crate::{
    choice::Choice,
    place::{Came, End, Place, What},
};

/// What was tried.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// How many points.
    pub points: usize,
    /// At how many of them a process was killed.
    pub killed: usize,
    /// At how many the connection was lost, and the program not.
    pub lost: usize,
    /// What an undisturbed run writes: commands and collections.
    pub writes: Vec<String>,
}

/// What there is to be, if nothing is in the way.
struct Expected<'a> {
    name: &'a str,
    before: Dump,
    after: Dump,
    ledger: Dump,
    undone: Dump,
}

/// Cuts it off at the points that are chosen, there and back. Leaves the place as it was.
pub async fn try_all(
    server: &Mongod,
    place: &Place,
    (name, to): (&str, &str),
    choice: &mut Choice,
) -> Tried {
    let forward = What::Migrate(to.to_owned());
    let before = place.dump().await;
    let (came, writes) = place.does_by(server, &forward).await;
    assert_eq!(came.left, Vec::<String>::new(), "{name}");
    let (after, ledger) = (place.dump().await, place.ledger().await);
    let (undone, back) = place.does_by(server, &What::Undo(came.run.unwrap())).await;
    assert_eq!(undone.left, Vec::<String>::new(), "{name}");
    assert_same(&format!("{name}, undone"), &before, &place.dump().await);
    let undone = place.ledger().await;
    place.forget().await;
    let expected = Expected { name, before, after, ledger, undone };

    let written = |it: &tests::Write| format!("{} {}", it.command, it.namespace);
    let mut tried = Tried { writes: writes.iter().map(written).collect(), ..Tried::default() };
    for through in choice.points(writes.len()) {
        let end = choice.end();
        tried.count(end, place.ends(server, &forward, through, end).await);
        expected.there(place, &forward, &format!("{end:?} after {through} writes")).await;
    }
    for through in choice.points(back.len()) {
        let end = choice.end();
        let backward = What::Undo(place.does(&forward).await.run.unwrap());
        tried.count(end, place.ends(server, &backward, through, end).await);
        expected.back(place, &format!("{end:?} after {through} writes of the undoing")).await;
    }
    tried
}

impl Tried {
    /// Adds what was tried elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.points += other.points;
        self.killed += other.killed;
        self.lost += other.lost;
    }

    /// Counts a point, if it came so far.
    pub fn count(&mut self, end: End, came: bool) {
        let one = usize::from(came);
        self.points += one;
        match end {
            End::Dies => {}
            End::Killed => self.killed += one,
            End::Loses(_) => self.lost += one,
        }
    }
}

impl Expected<'_> {
    /// The same again completes it, and it can be undone.
    async fn there(&self, place: &Place, forward: &What, at: &str) {
        let at = format!("{}, {at}", self.name);
        // Cut off after the last word was written down, it is completed already.
        if place.run().await.is_none_or(|it| it.state != JobState::Completed) {
            let Came { left, .. } = place.does(forward).await;
            assert_eq!(left, Vec::<String>::new(), "{at}");
        }
        assert_same(&at, &self.after, &place.dump().await);
        assert_same(&format!("{at}: what is written down"), &self.ledger, &place.ledger().await);
        self.back(place, &at).await;
    }

    /// The newest run is undone, or goes on with that.
    async fn back(&self, place: &Place, at: &str) {
        let at = format!("{}, {at}", self.name);
        let run = place.run().await.unwrap();
        if run.state != JobState::Undone {
            let Came { left, state, .. } = place.does(&What::Undo(run.id)).await;
            assert_eq!((left, state), (Vec::new(), Some(JobState::Undone)), "{at}");
        }
        assert_same(&format!("{at}, undone"), &self.before, &place.dump().await);
        let ledger = place.ledger().await;
        assert_same(&format!("{at}: what is written down then"), &self.undone, &ledger);
        place.forget().await;
    }
}
