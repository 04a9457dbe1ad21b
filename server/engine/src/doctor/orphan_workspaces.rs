//! Workspaces that no dataset refers to: their dataset was deleted by halves, or by a client that is too old to know them.

use super::{Kind, orphans::Orphans};

const ORPHANS: Orphans = Orphans {
    kind: "orphan_workspaces",
    collection: "workspaces",
    words: ("workspace", "workspaces"),
};

pub(super) const KIND: Kind = Kind {
    name: ORPHANS.kind,
    find: |patient| Box::pin(ORPHANS.find(patient)),
    mend: |surgery, finding| Box::pin(ORPHANS.mend(surgery, finding)),
};
