//! What people want to do or ask, with what to do.

use super::Topic;

const fn question(
    id: &'static str,
    title: &'static str,
    text: &'static [&'static str],
    see: &'static [&'static str],
) -> Topic {
    Topic { id, title, whom: None, text, see }
}

pub const QUESTIONS: &[Topic] = &[
    question(
        "how-upgrade",
        "How do I upgrade a deployment?",
        &[
            "Look at Clients first: it says who could not connect any more. On Migrate, choose the release that you go to, with \
             everything, and read the plan: what is blocked, what was checked, how long it takes. Mend what it names, then start.",
            "Let people pause what writes to the datasets while they are migrated. Watch the run until it is completed; then have \
             everybody install what SDK shows.",
        ],
        &["migrate", "clients", "how-blocked"],
    ),
    question(
        "how-browser",
        "What happens if I close the browser?",
        &[
            "Nothing. The run is written down in MongoDB and carried out by the server, not by the page. Open Runs again, from any \
             machine, to see how far it is.",
        ],
        &["how-server", "runs"],
    ),
    question(
        "how-server",
        "What happens if the server stops, or MongoDB does?",
        &[
            "A run that has lost its server is taken over by any other `fiftyone-migrate serve` that may migrate, within half a minute, \
             or by the next one that is started. It goes on where it was, in the middle of a collection too.",
            "If there is none, `fiftyone-migrate runs resume ID` goes on with it. While MongoDB does not answer, the run waits or \
             rests; no dataset says that it is migrated before it is.",
        ],
        &["word-lease", "word-take-over"],
    ),
    question(
        "how-undo",
        "How do I undo a run?",
        &[
            "Pause or cancel it, or let it end; then choose Undo on its page, type the database's name and your password. From a \
             shell: `fiftyone-migrate runs undo ID`, with `-n NAME` for single datasets.",
            "It can be undone for 30 days, or as long as Settings says, unless it was started with `--without-undo`. A dataset that \
             somebody has changed since stays as it is, and is named with what has changed. Samples that somebody has deleted since \
             stay deleted.",
        ],
        &["word-journal", "how-backup"],
    ),
    question(
        "how-downgrade",
        "What does a downgrade drop?",
        &[
            "What the older version has no words for. The plan lists it with counts. It is kept in the archive beside the \
             database, and comes back when the dataset goes up again with this program; what was changed in the meantime stays as it \
             is, and where the two differ that is listed as a conflict.",
            "What cannot exist in the older version at all, such as groups before 0.17.0, keeps its dataset where it is: it is \
             refused before anything of it is written. With `--without-archive` what is dropped is lost, as with FiftyOne itself.",
        ],
        &["word-archive", "word-lossy", "word-blocked"],
    ),
    question(
        "how-refused",
        "Why are clients refused?",
        &[
            "Each release of FiftyOne opens databases of a range of versions, and looks at it when it connects. If the database is \
             outside that range, it says that it cannot connect. Whoever is connected already stays so until they connect again.",
            "Either the client installs the SDK that belongs to the database (page SDK), or the database goes to a version that the \
             client can open (page Migrate). Clients says beforehand who will be refused.",
        ],
        &["clients", "sdk", "word-compatible"],
    ),
    question(
        "how-shell",
        "How do I migrate from a shell?",
        &[
            "Set `FIFTYONE_DATABASE_URI`. `fiftyone-migrate --info` prints the versions, `fiftyone-migrate --all --dry-run` the \
             plan; both write nothing.",
            "`FIFTYONE_DATABASE_ADMIN=true fiftyone-migrate --all` migrates the database and every dataset; `-v 1.0.0` or \
             `-v enterprise:2.1.0` chooses where to, up or down, and `-n NAME` takes single datasets. With `--detach` it is left to a \
             server. Ctrl-C pauses; the same command goes on. `fiftyone-migrate runs` lists what there is, from anywhere.",
        ],
        &["how-read-only", "runs"],
    ),
    question(
        "how-slow",
        "The run slows others down, or is too slow.",
        &[
            "Change its pace on its page, also while it runs. Fewer operations side by side and shorter batches leave more to others; \
             more of both are faster, as long as MongoDB keeps up. From a shell: `fiftyone-migrate runs pace ID --side-by-side 2`.",
            "Or pause it, and resume it at night. Nothing of what is done is done again.",
        ],
        &["run-pace", "word-pace"],
    ),
    question(
        "how-holds",
        "Why does the run hold?",
        &[
            "Because going on would harm others: a replica set is too far behind, its flow control slows everybody down, its oplog \
             reaches back too short, or the disk is nearly full. The page of the run says which, with the figure. It goes on by itself.",
            "Free the disk, or wait for the replica set. A limit that is wrong for this deployment is changed with the pace of the run.",
        ],
        &["run-pace", "word-hold"],
    ),
    question(
        "how-failed",
        "Some datasets failed. What now?",
        &[
            "They are as they were, the others are migrated. The page of the run has the failures by cause, each with what to do. Mend \
             the cause, then choose Retry: only those are tried again.",
        ],
        &["run", "how-blocked"],
    ),
    question(
        "how-blocked",
        "A dataset is blocked.",
        &[
            "Something in it cannot cross a revision; its page says what. The usual one is a field of your own called `created_at` or \
             `last_modified_at`, which FiftyOne needs from 1.0.0 on: an admin renames it there, or with \
             `fiftyone-migrate rename-field DATASET OLD NEW`.",
            "The others can go without it. A blocked dataset stays as it is, and clients of its version go on with it.",
        ],
        &["dataset", "word-blocked"],
    ),
    question(
        "how-read-only",
        "Why does every page say that it is read-only?",
        &[
            "The server was started without `FIFTYONE_DATABASE_ADMIN=true`, or with `FIFTYONE_DISABLE_MIGRATIONS`. Then nobody migrates \
             from here, whatever their role. Whoever starts the server sets it, and starts it again.",
        ],
        &["settings"],
    ),
    question(
        "how-unasked",
        "Who has moved the version without being asked?",
        &[
            "Probably a client: an open source FiftyOne migrates the database when it connects, and a dataset when it loads it, unless \
             `FIFTYONE_DATABASE_ADMIN` is `false` where it runs. Set that for all clients. Runs has what was done by this program; what \
             is not there was somebody else.",
        ],
        &["word-lazy", "clients"],
    ),
    question(
        "how-backup",
        "Do I need a backup?",
        &[
            "Against a migration, the undo journal is one for what the run has changed. It is in the same MongoDB: against a lost disk \
             or a deleted database only a backup of the server helps, for example with `mongodump`. Make one before a large step.",
        ],
        &["how-undo", "word-journal"],
    ),
    question(
        "how-damaged",
        "A dataset does not open any more.",
        &[
            "`fiftyone-migrate doctor` looks for what failed migrations and old clients have left: several config documents, dates \
             that are missing, runs that nothing refers to. It writes nothing. With `--repair` it mends what can be mended, and keeps \
             a copy of what it removes.",
        ],
        &["word-doctor", "word-orphan"],
    ),
    question(
        "how-password",
        "Somebody has forgotten their password.",
        &[
            "Whoever has a shell prints a link with `fiftyone-migrate users reset NAME`, by which they choose a new one. Nobody can \
             read the old one.",
        ],
        &["users", "account"],
    ),
];
