//! Looking at what a run does to the server, once a second.

use std::{collections::BTreeSet, time::Instant};

use bson::oid::ObjectId;

use super::{log, tell};
use crate::{
    progress::Control,
    store::{Failure, Happening, Store},
    strain::{Drain, Oplog, Strain},
};

/// What was seen until now.
#[derive(Debug, Default)]
pub struct Looks {
    /// What cannot be seen: it was told once.
    unseen: BTreeSet<&'static str>,
    drain: Drain,
}

impl Looks {
    /// Looks once, and lets the run hold or go on.
    pub async fn look(&mut self, store: &Store, run: ObjectId, control: &Control) {
        let holds = control.holding().is_some();
        let mut strain = Strain::default();
        match store.lag().await {
            Ok(lag) => strain.lag = lag,
            // The next write will say what is wrong.
            Err(_) => return,
        }
        // Of a server that stands alone, nobody else depends.
        if strain.lag.is_some() {
            self.replication(store, run, &mut strain).await;
        }
        let disk = "how much room the disk of the server has";
        if !self.unseen.contains(disk) {
            strain.disk = self.seen(store, run, disk, store.disk().await).await;
        }
        if let Some(oplog) = strain.oplog {
            self.drain.see(oplog, Instant::now(), holds);
        }
        let reason = strain.reason(&control.pace(), self.drain, holds);
        if reason.is_some() != holds {
            let (what, text) = if let Some(reason) = reason.clone() {
                let text = format!("holds: {reason}");
                (Happening::Holds { reason }, text)
            } else {
                let text = "goes on: nothing is beyond its limit any more".to_owned();
                (Happening::GoesOn, text)
            };
            tell(store, run, &what, &text).await;
        }
        control.hold(reason);
    }

    async fn replication(&mut self, store: &Store, run: ObjectId, strain: &mut Strain) {
        let (all, size) =
            ("what flow control does and how far the oplog reaches back", "how full the oplog is");
        if self.unseen.contains(all) {
            return;
        }
        let seen = store.replication().await.map(Some);
        let Some((flow, oplog)) = self.seen(store, run, all, seen).await else { return };
        strain.flow = flow;
        // One that was full before the server began is so again before anything is pushed out of it.
        strain.oplog = match oplog {
            Some(oplog) if !oplog.full && !self.unseen.contains(size) => {
                let full = self.seen(store, run, size, store.is_oplog_full().await).await;
                Some(Oplog { full: full.unwrap_or(false), ..oplog })
            }
            oplog => oplog,
        };
    }

    async fn seen<T>(
        &mut self,
        store: &Store,
        run: ObjectId,
        what: &'static str,
        seen: Result<Option<T>, Failure>,
    ) -> Option<T> {
        let failure = match seen {
            Ok(seen) => return seen,
            Err(failure) => failure,
        };
        if failure.is_of_privileges() {
            self.unseen.insert(what);
            let text = format!(
                "cannot see {what}, and does not hold because of it: {failure}; grant `clusterMonitor` on `admin` for that"
            );
            log(store, run, &text).await;
        }
        None
    }
}
