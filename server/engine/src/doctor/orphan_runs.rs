//! Runs that no dataset refers to: the second of two migrations at once, or one that was killed, has left them.

use super::{Kind, orphans::Orphans};

const ORPHANS: Orphans =
    Orphans { kind: "orphan_runs", collection: "runs", words: ("run", "runs") };

pub(super) const KIND: Kind = Kind {
    name: ORPHANS.kind,
    find: |patient| Box::pin(ORPHANS.find(patient)),
    mend: |surgery, finding| Box::pin(ORPHANS.mend(surgery, finding)),
};
