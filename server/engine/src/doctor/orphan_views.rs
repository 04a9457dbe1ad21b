//! Saved views that no dataset refers to: their dataset was deleted by halves, or lost them in a failed migration.

use super::{Kind, orphans::Orphans};

const ORPHANS: Orphans =
    Orphans { kind: "orphan_views", collection: "views", words: ("saved view", "saved views") };

pub(super) const KIND: Kind = Kind {
    name: ORPHANS.kind,
    find: |patient| Box::pin(ORPHANS.find(patient)),
    mend: |surgery, finding| Box::pin(ORPHANS.mend(surgery, finding)),
};
