//! What is shown of a dataset before it is migrated is what the migration then leaves, and looking writes nothing.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use bson::{Bson, DateTime, Document, doc};
use engine::{Engine, Error, Request};
use model::{
    Action, Badge, DatasetOutlook, DatasetView, DocumentFate, Permit, Principal, RevisionAhead,
    Role, WayOfDataset,
};
use tests::{
    Deployment, Dump, Mongod, NEWEST, State, console, image_dataset, sorted, timeless, to,
    ways_down, ways_up,
};

/// The datasets of all states of FiftyOne's.
const NAMES: [&str; 3] = ["img-det", "vid", "grp"];

async fn id_of(deployment: &Deployment, name: &str) -> String {
    deployment.dataset(name).await.get_object_id("_id").unwrap().to_hex()
}

async fn page(deployment: &Deployment, engine: &Engine, name: &str, to: &str) -> DatasetView {
    engine.inspect(&console(), &id_of(deployment, name).await, to).await.unwrap()
}

fn way(page: DatasetView) -> WayOfDataset {
    match page.outlook {
        DatasetOutlook::Goes(way) => *way,
        other => panic!("{}: {other:?}", page.label),
    }
}

/// `(collection, _id, what it will be)` of each document that is shown.
type Shown = Vec<(String, Bson, Option<Document>)>;

/// What is shown of a dataset that goes to a version; `None` if it cannot.
async fn shown(deployment: &Deployment, engine: &Engine, name: &str, to: &str) -> Option<Shown> {
    let id = id_of(deployment, name).await;
    let text = match engine.documents_ahead(&console(), &id, to).await {
        Ok(text) => text,
        Err(Error::Refused(_)) => return None,
        Err(other) => panic!("{other}"),
    };
    let whole: Document = serde_json::from_str(&text).unwrap();
    let pairs = whole.get_array("documents").unwrap().iter().map(|it| {
        let it = it.as_document().unwrap();
        let side = |key: &str| it.get_document(key).ok().cloned();
        let either = side("before").or(side("after")).unwrap();
        let collection = it.get_str("collection").unwrap().to_owned();
        (collection, either.get("_id").unwrap().clone(), side("after"))
    });
    Some(pairs.collect())
}

/// Insists that what was shown is there, byte for byte but for times since it was begun.
async fn assert_came_true(what: &str, deployment: &Deployment, shown: Shown, begun: DateTime) {
    let bytes = |it: Document| {
        let mut dump = timeless(Dump::from([("one".to_owned(), vec![it])]), begun);
        dump.remove("one").unwrap().pop().unwrap()
    };
    for (collection, id, after) in shown {
        let found = deployment.collection(&collection).find_one(doc! { "_id": &id }).await.unwrap();
        let [after, found] = [after, found].map(|it| it.map(bytes));
        let of = format!("{what}: {collection} {id}");
        assert_eq!(after, found, "{of}");
        let [after, found] = [after, found].map(|it| it.map(|it| it.to_vec().unwrap()));
        assert_eq!(after, found, "{of}: the order of keys, or a type");
    }
}

/// Looks, migrates everything, and compares. Returns what was shown of samples and frames.
async fn holds(what: &str, deployment: &Deployment, destination: &str) -> usize {
    let (engine, begun) = (deployment.engine().await, DateTime::now());
    let mut promised = Vec::new();
    for name in NAMES {
        promised.push((name, shown(deployment, &engine, name, destination).await));
    }
    let report = deployment.migrate(to(destination)).await;
    let mut of_samples = 0;
    for (name, shown) in promised {
        let dataset = report.datasets.iter().find(|it| it.name.as_deref() == Some(name)).unwrap();
        assert_eq!(shown.is_none(), dataset.is_failure(), "{what}: {name}: {:?}", dataset.reason);
        let Some(shown) = shown else { continue };
        let mine =
            |it: &&(String, Bson, _)| it.0.starts_with("samples.") || it.0.starts_with("frames.");
        of_samples += shown.iter().filter(mine).count();
        assert_came_true(&format!("{what}: {name}"), deployment, shown, begun).await;
    }
    of_samples
}

#[tokio::test]
async fn what_is_shown_of_a_way_up_is_what_it_leaves_byte_for_byte() {
    for (what, state, destination) in ways_up() {
        let deployment = Deployment::holding(&state).await;
        let samples = holds(&what, &deployment, destination).await;
        assert!(samples >= 6, "{what}: {samples} samples and frames");
        deployment.database.drop().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_shown_of_a_way_down_and_up_again_is_what_it_leaves_byte_for_byte() {
    for (what, state, destination) in ways_down() {
        let deployment = Deployment::holding(&state).await;
        holds(&what, &deployment, destination).await;
        // With what the archive gives back.
        holds(&format!("{what} and up"), &deployment, NEWEST).await;
        deployment.database.drop().await.unwrap();
    }
}

/// All that belongs to a dataset, with the keys in order and without the version.
fn belongings(dump: &Dump, name: &str) -> Dump {
    let of = |it: &&Document| it.get_str("name").is_ok_and(|it| it == name);
    let mut dataset = dump["datasets"].iter().find(of).unwrap().clone();
    let id = dataset.get("_id").cloned();
    dataset.remove("version");
    let samples = dataset.get_str("sample_collection_name").unwrap().to_owned();
    let frames = format!("frames.{samples}");
    let mut own = BTreeMap::from([("datasets".to_owned(), vec![dataset])]);
    for (collection, key) in
        [("runs", "_dataset_id"), ("views", "_dataset_id"), ("delegated_ops", "dataset_id")]
    {
        let documents = dump.get(collection).into_iter().flatten();
        let documents = documents.filter(|it| it.get(key) == id.as_ref()).cloned().collect();
        own.insert(collection.to_owned(), documents);
    }
    for collection in [samples, frames] {
        let documents = dump.get(&collection).cloned().unwrap_or_default();
        own.insert(collection, documents);
    }
    for documents in own.values_mut() {
        for it in documents {
            *it = sorted(it);
        }
    }
    // Runs may get other ids, and so may their results.
    for run in own.get_mut("runs").into_iter().flatten() {
        run.remove("_id");
        run.remove("results");
    }
    for field in ["annotation_runs", "brain_methods", "evaluations", "runs"] {
        let Ok(slots) = own.get_mut("datasets").unwrap()[0].get_document_mut(field) else {
            continue;
        };
        for (_, slot) in slots.iter_mut() {
            match slot {
                Bson::ObjectId(_) => *slot = Bson::Null,
                Bson::Document(run) => drop(run.remove("results")),
                _ => {}
            }
        }
    }
    own
}

/// Whether all that was there is there, whatever else is.
fn has_all(before: &Bson, after: &Bson) -> bool {
    match (before, after) {
        (Bson::Document(before), Bson::Document(after)) => {
            let empty = |it: &Bson| match it {
                Bson::Array(items) => items.is_empty(),
                Bson::Document(inner) => inner.is_empty(),
                other => *other == Bson::Null,
            };
            let has = |key: &str, it: &Bson| match after.get(key) {
                Some(after) => has_all(it, after),
                None => empty(it),
            };
            before.iter().all(|(key, it)| has(key, it))
        }
        (Bson::Array(before), Bson::Array(after)) => {
            before.iter().all(|it| after.iter().any(|after| has_all(it, after)))
        }
        _ => before == after,
    }
}

fn dumps_have_all(before: &Dump, after: &Dump) -> bool {
    before.iter().all(|(name, documents)| {
        let key = if name == "runs" { "key" } else { "_id" };
        let there = |it: &Document| after[name].iter().find(|a| a.get(key) == it.get(key));
        let has = |it: &Document| {
            there(it).is_some_and(|after| has_all(&it.clone().into(), &after.clone().into()))
        };
        documents.iter().all(has)
    })
}

async fn first(deployment: &Deployment, engine: &Engine, name: &str, down: bool) -> RevisionAhead {
    let page = page(deployment, engine, name, "").await;
    let first = if down { page.down.into_iter().next() } else { page.up.into_iter().next() };
    first.unwrap()
}

#[tokio::test]
async fn the_badge_of_each_revision_is_what_crossing_it_there_and_back_shows() {
    let deployment = Deployment::holding(&State::newest()).await;
    let (engine, begun) = (deployment.engine().await, DateTime::now());
    let go = async |version: &str| {
        // The archive would bring back what is lost.
        deployment.migrate(Request { without_archive: true, ..to(version) }).await;
        timeless(deployment.dump().await, begun)
    };
    let mut top = timeless(deployment.dump().await, begun);
    let mut at = NEWEST.to_owned();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (revision, below) in revisions::ALL.iter().rev().zip(
        revisions::ALL
            .iter()
            .rev()
            .skip(1)
            .map(|it| it.version.to_string())
            .chain(["0.6.1".to_owned()]),
    ) {
        let mut badges = Vec::new();
        for name in NAMES {
            let ahead = first(&deployment, &engine, name, true).await;
            badges.push(ahead);
        }
        let bottom = go(&below).await;
        let mut backs = Vec::new();
        for (name, ahead) in NAMES.iter().zip(&badges) {
            let back = match ahead.badge {
                Badge::Blocked => None,
                _ => Some(first(&deployment, &engine, name, false).await),
            };
            backs.push(back);
        }
        let again = go(&at).await;
        let down_again = go(&below).await;
        for ((name, down), up) in NAMES.into_iter().zip(badges).zip(backs) {
            let [top, bottom, again, down_again] =
                [&top, &bottom, &again, &down_again].map(|it| belongings(it, name));
            let what = format!("{name} across {}: {down:?}", revision.version);
            if down.badge == Badge::Blocked {
                assert_eq!(top, bottom, "{what}");
                *seen.entry("blocked").or_default() += 1;
                continue;
            }
            assert_eq!(down.version, revision.version.to_string(), "{what}");
            match down.badge {
                Badge::NoOp => assert_eq!(top, bottom, "{what}"),
                Badge::Reversible => {
                    assert_ne!(top, bottom, "{what}");
                    assert!(dumps_have_all(&top, &again), "{what}: {top:?} {again:?}");
                }
                Badge::Lossy => assert_ne!(top, again, "{what}"),
                Badge::Blocked | Badge::OutOfReach => panic!("{what}"),
            }
            *seen.entry(down.badge.name()).or_default() += 1;
            let up = up.unwrap();
            let what = format!("{name} up across {}: {up:?}", revision.version);
            match up.badge {
                Badge::NoOp => assert_eq!(bottom, again, "{what}"),
                Badge::Reversible => {
                    assert_ne!(bottom, again, "{what}");
                    assert!(
                        dumps_have_all(&bottom, &down_again),
                        "{what}: {bottom:?} {down_again:?}"
                    );
                }
                Badge::Lossy => assert_ne!(bottom, down_again, "{what}"),
                Badge::Blocked | Badge::OutOfReach => panic!("{what}"),
            }
        }
        (top, at) = (down_again, below);
    }
    for badge in ["no_op", "reversible", "lossy", "blocked"] {
        assert!(seen.contains_key(badge), "{seen:?}");
    }
}

#[tokio::test]
async fn looking_writes_nothing_neither_there_nor_among_the_runs() {
    let server = Mongod::start(&[]);
    let deployment = Deployment::planted(&server, "looked-at", &State::newest()).await;
    // Something is archived, and there is a history.
    deployment.migrate(to("0.15.0")).await;
    let hashes = async || {
        let mut hashes = Vec::new();
        for database in [deployment.database.clone(), deployment.jobs()] {
            let mut hash = database.run_command(doc! { "dbHash": 1 }).await.unwrap();
            hash.remove("timeMillis");
            let writes = database.run_command(doc! { "serverStatus": 1 }).await.unwrap();
            let counts = writes.get_document("opcounters").unwrap();
            let counts = ["insert", "update", "delete"].map(|it| counts.get(it).cloned());
            hashes.push((hash.get("collections").cloned(), hash.get("md5").cloned(), counts));
        }
        hashes
    };
    let engine = deployment.engine().await;
    let before = hashes().await;
    for name in NAMES {
        let id = id_of(&deployment, name).await;
        for to in ["", NEWEST, "0.7.1", "0.6.1", "1.0.0"] {
            let page = engine.inspect(&console(), &id, to).await.unwrap();
            assert_eq!(page.history.len(), 1, "{name}");
            let told = engine.documents_ahead(&console(), &id, to).await;
            assert!(matches!(told, Ok(_) | Err(Error::Refused(_))), "{name} to {to}: {told:?}");
        }
    }
    assert_eq!(hashes().await, before);
}

#[tokio::test]
async fn a_page_tells_what_happened_to_the_dataset_and_whether_it_can_be_undone() {
    let deployment = Deployment::holding(&State::newest()).await;
    let down = deployment.migrate(to("0.18.0")).await;
    let engine = deployment.engine().await;
    let before = page(&deployment, &engine, "img-det", NEWEST).await;
    assert_eq!((before.version.as_deref(), before.destination.as_str()), (Some("0.18.0"), NEWEST));
    let [run] = before.history.as_slice() else { panic!("{:?}", before.history) };
    assert_eq!(Some(&run.frame.run.id), down.run.as_ref());
    assert_eq!((run.state.as_str(), run.destination.as_deref()), ("migrated", Some("0.18.0")));
    assert!(run.undo.starts_with("Can be undone until 20"), "{}", run.undo);
    assert!(run.notes.iter().any(|it| it.starts_with("archived: ")), "{:?}", run.notes);
    let up = way(before);
    assert!(up.given_back.iter().any(|it| it == "1 saved view"), "{:?}", up.given_back);
    assert!(!up.down && up.revisions.first().is_some_and(|it| it == "0.19.0"));
    let first = &up.documents[0];
    assert_eq!((first.title.as_str(), first.fate), ("Dataset document", DocumentFate::Changed));
    assert!(first.changes > 3 && first.before.is_some() && first.after.is_some());
    assert!(up.documents.iter().any(|it| it.title == "Run ev" && it.fate == DocumentFate::Added));
    assert!(up.elsewhere.iter().any(|it| it.contains("back to `views`")), "{:?}", up.elsewhere);
}

#[tokio::test]
async fn what_is_in_the_way_is_told_with_the_words_that_rename_it() {
    let deployment = Deployment::at("0.25.2").await;
    let mut dataset = image_dataset("notebook");
    dataset.insert("version", "0.25.2");
    dataset.insert("slug", "notebook");
    let fields = dataset.get_array_mut("sample_fields").unwrap();
    fields.push(doc! { "name": "created_at", "ftype": "fiftyone.core.fields.StringField", "db_field": "created_at", "fields": [] }.into());
    deployment.plant("datasets", [dataset]).await;
    let engine = deployment.engine().await;
    let page = page(&deployment, &engine, "notebook", NEWEST).await;
    let DatasetOutlook::Blocked { reason, remedies } = page.outlook else {
        panic!("{:?}", page.outlook)
    };
    assert!(reason.starts_with("it cannot cross v1.0.0: its field `created_at`"), "{reason}");
    let command = remedies[0].command.as_deref().unwrap();
    assert!(command.contains("dataset.rename_sample_field(\"created_at\", \"created_at_own\")"));
    let badges: Vec<Badge> = page.up.iter().map(|it| it.badge).collect();
    assert_eq!(badges[..2], [Badge::Blocked, Badge::OutOfReach]);
    assert!(page.question.is_some());
}

#[tokio::test]
async fn who_may_not_see_it_is_told_the_same_as_who_asks_for_nothing_there_is() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("cats")]).await;
    let engine = deployment.engine().await;
    let id = id_of(&deployment, "cats").await;
    let permit = |role: Role| -> Permit {
        let principal = Principal { name: "ada".to_owned(), role };
        principal.permit(Action::ReadStatus).unwrap()
    };
    let told = async |role: Role, id: &str| {
        engine.inspect(&permit(role), id, "").await.unwrap_err().to_string().replace(id, "ID")
    };
    let nothing = told(Role::Admin, "0123456789abcdef01234567").await;
    assert_eq!(told(Role::Member, &id).await, nothing);
    assert_eq!(told(Role::Admin, "no id at all").await, nothing);
    assert!(told(Role::Guest, &id).await.contains("may not"));
    assert!(engine.inspect(&permit(Role::Admin), &id, "").await.is_ok());
}
