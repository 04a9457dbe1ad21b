//! What each page is for; the ids are those to which pages lead.

use super::Topic;

const MEMBERS: Option<&str> = Some("For members and admins.");
const ADMINS: Option<&str> = Some("For admins.");

pub const PLACES: &[Topic] = &[
    Topic {
        id: "overview",
        title: "Overview",
        whom: None,
        text: &[
            "Which version everything is at, and what there is to do. The sentence at the top is what is most worth saying, with the \
             way to it; programs get the same from `/healthz`.",
            "The ladder has each version with where it can go. A bar of the chart leads to the datasets of that version. Looking \
             changes nothing.",
        ],
        see: &["how-upgrade", "word-compatibility", "word-database-version"],
    },
    Topic {
        id: "datasets",
        title: "Datasets",
        whom: Some("For everybody, with the datasets that they have a right to."),
        text: &[
            "Every dataset with its version and what a migration does to it. What is searched, filtered and sorted is in the address, \
             which can be sent to somebody, and what was found can be downloaded as CSV or JSON.",
            "What is selected stays what it was at that moment, and leads to the plan for those datasets. Private \
             datasets, and those without a name or a version, have tabs of their own. By keyboard: `j` and `k` move, `x` selects, `/` searches, `?` lists all keys.",
        ],
        see: &["dataset", "migrate", "word-right"],
    },
    Topic {
        id: "dataset",
        title: "One dataset",
        whom: MEMBERS,
        text: &[
            "Which revisions are ahead of it in both directions, and whether each is reversible, lossy or a no-op for this dataset: \
             that is tried out, in memory. Below, its documents and some samples before and after, field by field.",
            "What blocks it stands there with what to do. Its history says which runs have changed it. An admin gives rights to it \
             from here.",
        ],
        see: &["how-blocked", "word-revision", "word-lossy"],
    },
    Topic {
        id: "migrate",
        title: "Migrate",
        whom: MEMBERS,
        text: &[
            "Choose where to go and what goes there, and see the plan: datasets with the same change as one group, what was checked \
             with what to do, what would be lost, and how long it takes. Showing a plan writes nothing.",
            "What it takes to start depends on what can go wrong: nothing where only versions change, the number of datasets for more \
             than 1,000, the database's name where anything goes down or is lost, and the password as well for a downgrade. A double \
             click is one run. If the plan has changed since it was shown, nothing is started.",
            "Members migrate a dataset that they manage up to the version of the database; everything else is for admins.",
        ],
        see: &["how-upgrade", "how-downgrade", "word-plan"],
    },
    Topic {
        id: "import",
        title: "Import",
        whom: MEMBERS,
        text: &[
            "Make a dataset out of an export of FiftyOne: a folder on the server, or an archive of one. First you see what is in it, \
             which revisions it crosses, which files are not there, and what would be in its way. Showing that writes nothing.",
            "The import goes on in the server when the page is closed. The dataset is there, complete and at the version of the \
             database, or not at all; ids, dates and results of runs stay as they were exported.",
            "Where `FIFTYONE_MIGRATE_IMPORTS` names a folder, an archive can be sent from here, and members import from there, and may manage what they have imported; admins \
             import from anywhere.",
        ],
        see: &["media", "exports"],
    },
    Topic {
        id: "exports",
        title: "Exports",
        whom: Some("For collaborators and above; folders of the server are written by admins."),
        text: &[
            "Write a dataset, of whatever version, into a folder of the server, so that FiftyOne and this app import it. Its files stay \
             where they are, are copied, or are linked. The database stays as it is.",
            "An export is whole once `metadata.json` is there: it is written last. If it fails or is stopped, what was written is \
             removed.",
        ],
        see: &["import"],
    },
    Topic {
        id: "media",
        title: "Media",
        whom: ADMINS,
        text: &[
            "Take the files that a dataset refers to into a bucket, a container or another folder. First you see which files there \
             are and where each would go; files that would get in each other's way are found before anything is sent.",
            "An upload goes on in the server when the page is closed. It can be stopped, slowed down, and gone on with; what is there \
             already is proven by its content and not sent again. What failed is grouped by cause, with a button to try those again.",
            "Paths of the dataset are rewritten only where the file was verified at its destination, and can be brought back. Files \
             here are removed only once everything is verified and no dataset refers to them.",
        ],
        see: &["dataset"],
    },
    Topic {
        id: "runs",
        title: "Runs",
        whom: MEMBERS,
        text: &[
            "Every run, newest first, with its state and what came of it. Runs of the command line are here as well, from whatever \
             machine.",
        ],
        see: &["run", "word-run"],
    },
    Topic {
        id: "run",
        title: "One run",
        whom: Some("For members and admins; names of datasets, and what can be done, for admins."),
        text: &[
            "How far it is, in samples and frames; how long ago it last wrote; why it holds, if it does; what failed, by cause, with \
             what to do; what happened to it, in order. 100 % is shown only when what was written was looked at again.",
            "Admins pause, resume, cancel, retry and undo it here, and change its pace. What cannot be done now is listed with the \
             reason. The page may be closed: the run does not need it.",
        ],
        see: &["how-browser", "how-failed", "how-undo", "how-holds"],
    },
    Topic {
        id: "run-log",
        title: "The log of a run",
        whom: ADMINS,
        text: &[
            "Every line that was told of it, searched and in pages. The number of a line stays the same; its address can be sent to \
             somebody.",
        ],
        see: &["run"],
    },
    Topic {
        id: "run-pace",
        title: "The pace of a run",
        whom: ADMINS,
        text: &[
            "How much a run asks of MongoDB at once, and when it holds so that others can work. A change counts from the next batch \
             on, also while the run goes, and is noted in its timeline.",
        ],
        see: &["how-slow", "how-holds", "word-pace"],
    },
    Topic {
        id: "clients",
        title: "Clients",
        whom: ADMINS,
        text: &[
            "Who is connected, and what becomes of them when the database goes to a version: fine, refused, or unknown, because \
             FiftyOne does not tell MongoDB its version. Below, whether a client of any version can open the database, in FiftyOne's \
             own words; scripts ask `/api/compatibility?client=0.21.0`.",
        ],
        see: &["how-refused", "sdk"],
    },
    Topic {
        id: "versions",
        title: "Versions",
        whom: None,
        text: &[
            "Which release of FiftyOne Enterprise has which SDK and which compatibility version, and which revisions a step crosses. \
             What was not stated by anybody is marked as inferred.",
            "Admins correct a row or add one. That counts wherever versions are asked for, also at the command line, and can be put \
             back.",
        ],
        see: &["word-enterprise", "word-compatibility"],
    },
    Topic {
        id: "sdk",
        title: "SDK",
        whom: None,
        text: &[
            "The commands that install the SDK for the database as it is, or for a release that you choose. A token that you type \
             stays in the page: it is put into the commands and is sent nowhere.",
        ],
        see: &["how-refused", "word-sdk"],
    },
    Topic {
        id: "users",
        title: "Users",
        whom: ADMINS,
        text: &[
            "Who may sign in, with which role. An invitation is a link that is shown once and with which somebody makes their own \
             account. Whoever is disabled or gets another role is signed out at once, wherever they are.",
        ],
        see: &["rights", "how-password", "word-role"],
    },
    Topic {
        id: "rights",
        title: "Rights to datasets",
        whom: ADMINS,
        text: &[
            "Who may view, tag, edit or manage a dataset: a person, a group, or all members. The strongest right counts, as far as the \
             role allows it. For whoever has none, the dataset does not exist.",
        ],
        see: &["word-right", "word-role"],
    },
    Topic {
        id: "settings",
        title: "Settings",
        whom: ADMINS,
        text: &[
            "What the server was started with, where each of it is set, and what MongoDB says of itself. Nothing of it is changed \
             here: whoever has only a browser cannot point the server elsewhere.",
        ],
        see: &["how-read-only"],
    },
    Topic {
        id: "account",
        title: "Your account",
        whom: None,
        text: &[
            "Your password, where you are signed in, and whether pages are light, dark, or as your system prefers. A session that you \
             do not know can be ended here.",
        ],
        see: &["how-password"],
    },
];
