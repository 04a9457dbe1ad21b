//! What the words mean that pages use.

use super::Topic;

const fn word(id: &'static str, title: &'static str, text: &'static [&'static str]) -> Topic {
    Topic { id, title, whom: None, text, see: &[] }
}

pub const WORDS: &[Topic] = &[
    word(
        "word-archive",
        "Archive",
        &[
            "What downgrades have dropped, kept for the way up: it is given back when the dataset goes up again. It stays until then, \
             or until somebody drops it with `fiftyone-migrate archive forget`.",
        ],
    ),
    word(
        "word-blocked",
        "Blocked, refused",
        &[
            "A dataset that cannot cross a revision. It is looked at in memory first, so that nothing of it is written.",
        ],
    ),
    word(
        "word-compatibility",
        "Compatibility version",
        &[
            "The version of the open source FiftyOne whose data model a deployment has. All versions in the database are of this \
             kind: Enterprise 2.1.0, for example, has 1.0.0.",
        ],
    ),
    word(
        "word-compatible",
        "Compatible",
        &[
            "A version that a client may open without migrating it: for 1.22.1 these are `>=0.19,<2`.",
        ],
    ),
    word(
        "word-conflict",
        "Conflict",
        &[
            "What the archive has and what somebody has changed since differ, and no rule says which is right. What is there stays; \
             the archive keeps the other.",
        ],
    ),
    word(
        "word-database-version",
        "Database version",
        &[
            "What the database as a whole says it is at. Clients look at it when they connect. No dataset is migrated beyond it when \
             somebody loads it.",
        ],
    ),
    word(
        "word-dataset-version",
        "Dataset version",
        &[
            "What a dataset says it is at. It may be older than the database: then a client may migrate it when it loads it, unless a \
             run does so first.",
        ],
    ),
    word(
        "word-head",
        "Head, destination",
        &["The version that something is at, and the one that it goes to."],
    ),
    word(
        "word-doctor",
        "Doctor",
        &[
            "The command `fiftyone-migrate doctor`: it finds what was damaged in the past, and mends it if it is told to.",
        ],
    ),
    word(
        "word-enterprise",
        "Enterprise version",
        &[
            "The version of FiftyOne Enterprise itself, for example 2.1.0. Versions says which compatibility version belongs to it.",
        ],
    ),
    word(
        "word-hold",
        "Hold",
        &[
            "A run that goes on but begins nothing for now, because MongoDB has too much to do. It says why, and goes on by itself.",
        ],
    ),
    word(
        "word-lazy",
        "Lazy migration",
        &[
            "A dataset that FiftyOne migrates by itself when somebody loads it, up to the version of the database.",
        ],
    ),
    word(
        "word-lease",
        "Lease",
        &[
            "The right to write to a database. One server or program has it at a time, for 30 seconds, and renews it while it works, so \
             that two runs never write to the same database.",
        ],
    ),
    word(
        "word-lossy",
        "Reversible, lossy, no-op",
        &[
            "What a revision does to one dataset. Reversible: the way back brings everything back. Lossy: it does not, without the \
             archive. No-op: only the version changes.",
        ],
    ),
    word(
        "word-orphan",
        "Orphan",
        &["A collection that no dataset uses, or a run that no dataset refers to."],
    ),
    word(
        "word-pace",
        "Pace",
        &[
            "How much a run asks of MongoDB: how many operations side by side, and how long each takes. Its limits say when it holds.",
        ],
    ),
    word(
        "word-plan",
        "Plan",
        &[
            "What a migration would do, as it was found out by doing it in memory. It is shown before anything is written.",
        ],
    ),
    word(
        "word-revision",
        "Revision",
        &[
            "One numbered change of FiftyOne's data model, with a way up and a way down. To migrate is to cross the revisions between \
             two versions.",
        ],
    ),
    word(
        "word-right",
        "Right",
        &[
            "What somebody may do with one dataset: view, tag, edit, or manage it, each of which includes those before it.",
        ],
    ),
    word(
        "word-role",
        "Role",
        &[
            "What somebody may do in the whole deployment: guest, labeler, collaborator, member, admin, as in FiftyOne Enterprise. It \
             bounds their rights: a guest never does more than view.",
        ],
    ),
    word(
        "word-run",
        "Run",
        &[
            "A migration that was started: what was asked, by whom, how far it is, and what came of each dataset. Beware: in FiftyOne, \
             a run is the annotation, brain or evaluation run of a dataset.",
        ],
    ),
    word(
        "word-sdk",
        "SDK, client",
        &[
            "The Python package `fiftyone` with which people and programs work, and a program that is connected with it.",
        ],
    ),
    word(
        "word-take-over",
        "Take-over",
        &["Another server goes on with a run whose server is gone."],
    ),
    word(
        "word-journal",
        "Undo journal",
        &[
            "What a run is about to change, kept before it does: it is what Undo brings back. It is dropped when its time is over.",
        ],
    ),
    word(
        "word-verifying",
        "Verifying",
        &[
            "The last stage of a run: it looks at what it has written, and at what others have written meanwhile, before it says \
             that it is completed.",
        ],
    ),
];
