//! One run, several servers: the one that has the lease **leads**, others help with shares of its datasets.
//!
//! Whoever works on a share has **claimed** it, as the lease is taken: under a number of its own, for as long as a lease
//! lasts, renewed as one. Nothing is divided before somebody offers to help, so that a run of one server is not
//! slower for it.
//!
//! Why nobody writes under a lease while a claim of another is alive: whoever claims looks *afterwards* whether the
//! lease is still the one that offers, and writes nothing otherwise; whoever takes the lease, or ends its division, says
//! so *before* it looks who has a share, and waits for each of them ([`outlast`]). One of the two sees the other.

mod claim;
mod help;
mod lead;
mod ties;
mod work;

use std::time::Duration;

use bson::{Bson, Document, doc, oid::ObjectId};

pub use help::Helped;
pub use lead::Lead;
pub use work::{Bench, Keeps};

use crate::{
    Error, Result,
    clock::Moment,
    guard::outwait,
    load::Task,
    progress::Control,
    store::{Entry, Failure, HeldShare, Store},
};

/// How often it is looked whether there is something to do.
const LOOK: Duration = Duration::from_millis(250);

/// After what time it is said who is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// A run that is divided, as somebody sees it who works on it.
#[derive(Clone, Debug)]
pub struct Crew {
    /// The run.
    pub run: ObjectId,
    /// The lease under which it is divided.
    pub lease: i64,
    /// Who we are, among those who work on it.
    pub hand: ObjectId,
    /// Whether the run was begun before, so that there may be marks already.
    pub goes_on: bool,
}

/// Waits until nobody has a share any more that was offered under this lease or one before it, and forgets them. To be
/// called when none can be claimed any more. `inherited`: somebody who had the lease is known to be gone, and what they
/// had begun is waited for as well.
///
/// # Errors
///
/// If `control` does not let anything be written any more: we have lost the lease.
pub async fn outlast(store: &Store, lease: i64, control: &Control, inherited: bool) -> Result<()> {
    let error = |it| store.error(it);
    let (mut gone, patience, mut told) = (inherited, Moment::now() + PATIENCE, false);
    loop {
        let held = store.held_shares(lease).await.map_err(error)?;
        let (dead, alive): (Vec<HeldShare>, Vec<HeldShare>) =
            held.into_iter().partition(|it| it.holder.is_gone());
        gone |= !dead.is_empty();
        let Some(one) = alive.first() else { break };
        if !told && Moment::now() > patience {
            told = true;
            let text = format!(
                "waits until {} has ended what it helps with, {} s at most",
                one.holder.name(),
                crate::store::TTL.as_secs()
            );
            crate::job::log(store, one.run, &text).await;
        }
        if control.is_over() {
            return Err(lost(&format!(
                "while {} had not ended what it helps with",
                one.holder.name()
            )));
        }
        tokio::time::sleep(LOOK / 2).await;
    }
    if gone {
        outwait(store).await;
    }
    if !control.may_end().await {
        return Err(lost("while it waited for those who helped"));
    }
    store.forget_shares(lease).await.map_err(error)?;
    store.end_division(lease).await.map_err(error)
}

fn lost(when: &str) -> Error {
    Error::Refused(format!(
        "this program lost its lease {when}; nothing was written since: `fiftyone-migrate runs` says who goes on, and if nobody \
         does, the same command again goes on with it"
    ))
}

/// A task as it is offered.
fn offered(task: &Task) -> Document {
    let Task { entry, head, destination } = task;
    doc! {
        "id": &entry.id, "name": &entry.name, "version": &entry.version,
        "bytes": i64::try_from(entry.bytes).unwrap_or(i64::MAX),
        "head": head.as_ref().map(ToString::to_string), "destination": destination.to_string(),
    }
}

/// A task that was offered.
fn task(document: &Document) -> Result<Task, Failure> {
    let unreadable =
        |key: &str| Failure::other(format!("a share of the run cannot be read: its `{key}`"));
    let text = |key: &str| document.get_str(key).ok();
    let bytes = document.get_i64("bytes").ok().and_then(|it| usize::try_from(it).ok());
    let entry = Entry {
        id: document.get("id").cloned().unwrap_or(Bson::Null),
        name: text("name").map(str::to_owned),
        version: document.get("version").cloned().unwrap_or(Bson::Null),
        bytes: bytes.unwrap_or(0),
    };
    let head = text("head").map(str::parse).transpose().map_err(|_| unreadable("head"))?;
    let destination = text("destination").and_then(|it| it.parse().ok());
    Ok(Task { entry, head, destination: destination.ok_or_else(|| unreadable("destination"))? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_is_offered_is_the_same_for_whoever_claims_it() {
        let entry = |name: Option<&str>, version: Bson| Entry {
            id: ObjectId::new().into(),
            name: name.map(str::to_owned),
            version,
            bytes: 1234,
        };
        let destination: revisions::Release = "1.0.0".parse().unwrap();
        for (entry, head) in [
            (entry(Some("a"), "0.18.0".into()), Some("0.18.0".parse().unwrap())),
            (entry(None, Bson::Null), None),
        ] {
            let given = Task { entry, head, destination: destination.clone() };
            let claimed = task(&offered(&given)).unwrap();
            assert_eq!(
                (claimed.entry, claimed.head, claimed.destination),
                (given.entry, given.head, given.destination)
            );
        }
        assert!(task(&doc! { "destination": "banana" }).is_err());
    }
}
