//! Downgrades that lose nothing: what an old version does not know comes back on the way up.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use engine::{ArchiveState, Control, JobState, Report, Request, State as Became};
use tests::{
    BOUNDARIES, Deployment, Dump, Mongod, NEWEST, State, console, image_dataset, image_samples,
    program, sorted, to,
};

/// Every document with its keys sorted, for their order may be another; an empty collection is as good as none.
async fn dump(deployment: &Deployment) -> Dump {
    let mut dump = deployment.dump().await;
    // The database's own document belongs to no dataset.
    dump.retain(|name, documents| name != "config" && !documents.is_empty());
    for documents in dump.values_mut() {
        for it in documents {
            *it = sorted(it);
        }
    }
    dump
}

#[track_caller]
fn same(what: &str, expected: &Dump, found: &Dump) {
    assert!(expected.keys().eq(found.keys()), "{what}: {:?}", found.keys());
    for (name, documents) in expected {
        for it in &found[name] {
            assert!(
                documents.iter().any(|other| other.get("_id") == it.get("_id")),
                "{what}: {name} has {it}"
            );
        }
        for expected in documents {
            let found = found[name].iter().find(|it| it.get("_id") == expected.get("_id"));
            let found = found.unwrap_or_else(|| panic!("{what}: {name} lacks {expected}"));
            for key in expected.keys().chain(found.keys()) {
                assert_eq!(expected.get(key), found.get(key), "{what}: {name}: {key}");
            }
        }
    }
}

#[tokio::test]
async fn down_and_up_again_is_the_original_value_for_value() {
    let server = Mongod::start(&[]);
    let state = State::newest();
    for version in BOUNDARIES {
        let name = format!("there-{}", version.replace('.', "-"));
        let deployment = Deployment::planted(&server, &name, &state).await;
        let before = dump(&deployment).await;
        deployment.migrate(to(version)).await;
        let up = deployment.migrate(to(NEWEST)).await;
        assert_eq!(up.run_state, Some(JobState::Completed), "{version}");
        let warnings: Vec<_> = up.datasets.iter().flat_map(|it| &it.warnings).collect();
        assert!(!warnings.iter().any(|it| it.contains("conflict")), "{version}: {warnings:?}");
        same(version, &before, &dump(&deployment).await);
        deployment.database.drop().await.unwrap();
    }
}

/// The original state, taken to an older version by ourselves, and what it was.
async fn taken_down(version: &str) -> (Deployment, Dump) {
    let deployment = Deployment::holding(&State::newest()).await;
    let before = dump(&deployment).await;
    deployment.migrate(to(version)).await;
    (deployment, before)
}

/// What somebody does to the dataset of images in the meantime.
async fn edit(deployment: &Deployment, change: Document) {
    let datasets = deployment.collection("datasets");
    let edited = datasets.update_one(doc! { "name": "img-det" }, change).await.unwrap();
    assert_eq!(edited.modified_count, 1);
}

async fn up(deployment: &Deployment, version: &str) -> Report {
    let report = deployment.migrate(to(version)).await;
    assert!(report.datasets.iter().all(|it| !it.is_failure()), "{:?}", report.datasets);
    report
}

fn conflicts(report: &Report) -> Vec<String> {
    let warnings = report.datasets.iter().flat_map(|it| &it.warnings);
    warnings.filter(|it| it.contains("conflict")).cloned().collect()
}

/// What the dataset of images is, but for what FiftyOne calls the time of its last change.
async fn images(deployment: &Deployment) -> Document {
    sorted(&deployment.dataset("img-det").await)
}

fn of<'a>(dump: &'a Dump, collection: &str, name: &str) -> &'a Document {
    dump[collection].iter().find(|it| it.get_str("name").is_ok_and(|it| it == name)).unwrap()
}

#[tokio::test]
async fn what_was_changed_in_the_old_version_stays_and_the_rest_comes_back() {
    let (deployment, before) = taken_down("0.15.0").await;
    edit(&deployment, doc! { "$set": { "info.n": 7, "default_classes": ["bird"] } }).await;
    let report = up(&deployment, NEWEST).await;
    assert_eq!(conflicts(&report), [""; 0]);
    let mut expected = of(&before, "datasets", "img-det").clone();
    expected.get_document_mut("info").unwrap().insert("n", 7);
    expected.insert("default_classes", vec!["bird"]);
    assert_eq!(images(&deployment).await, expected);
    let given = report.datasets.iter().find(|it| it.name.as_deref() == Some("img-det")).unwrap();
    for what in ["1 saved view", "1 dataset tag", "1 custom run", "1 annotation schema"] {
        assert!(given.given_back.iter().any(|it| it == what), "{:?}", given.given_back);
    }
}

#[tokio::test]
async fn what_both_have_changed_stays_as_it_is_there_and_is_listed_until_somebody_drops_it() {
    let (deployment, before) = taken_down("0.15.0").await;
    // The evaluation is made again, and a field that had a description is deleted.
    edit(
        &deployment,
        doc! {
            "$set": { "evaluations.ev": { "key": "ev", "timestamp": "later", "config": { "cls": "other" } } },
            "$pull": { "sample_fields": { "name": "i" } },
        },
    )
    .await;
    let report = up(&deployment, NEWEST).await;
    let found = conflicts(&report);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|it| it.contains("conflict at `evaluations.ev`")), "{found:?}");
    assert!(found.iter().any(|it| it.contains("conflict at `sample_fields[i]`")), "{found:?}");
    let now = images(&deployment).await;
    let run = now.get_document("evaluations").unwrap().get_object_id("ev").unwrap();
    let original = of(&before, "datasets", "img-det").get_document("evaluations").unwrap();
    assert_ne!(original.get_object_id("ev").unwrap(), run);
    let run = deployment.collection("runs").find_one(doc! { "_id": run }).await.unwrap().unwrap();
    assert_eq!(run.get_document("config").unwrap().get_str("cls").unwrap(), "other");
    assert_eq!(deployment.all("runs").await.len(), 2, "the new evaluation and the custom run");

    let listed = deployment.led_by(program!(["archive", "--json"])).run().await.with(0).json();
    let waiting = &listed.as_array().unwrap().iter().find(|it| it["name"] == "img-det").unwrap();
    assert_eq!(waiting["state"], "given_back");
    assert_eq!(waiting["conflicts"].as_array().unwrap().len(), 2);
    // Neither the end of the journal nor anything else drops it.
    deployment.engine().await.forget(&console(), report.run.as_ref().unwrap()).await.unwrap();
    let forget = deployment.led_by(program!(["archive", "forget", "img-det"])).run().await.with(0);
    assert_eq!(forget.stdout, "Dropped what was kept for img-det\n");
    let shown = deployment.led_by(program!(["archive"])).run().await.with(0);
    assert!(!shown.stdout.contains("img-det"), "{}", shown.stdout);
}

#[tokio::test]
async fn what_was_made_and_deleted_meanwhile_is_there_and_not_there() {
    let (deployment, before) = taken_down("0.18.0").await;
    let samples = of(&before, "datasets", "img-det").get_str("sample_collection_name").unwrap();
    let gone = before[samples][0].get("_id").unwrap().clone();
    deployment.collection(samples).delete_one(doc! { "_id": &gone }).await.unwrap();
    let added = ObjectId::new();
    deployment.plant(samples, [doc! { "_id": added, "filepath": "/new.jpg" }]).await;
    let run = doc! { "key": "mine", "timestamp": null, "config": { "cls": "x" } };
    edit(&deployment, doc! { "$set": { "evaluations.mine": run } }).await;
    // A version that knows saved views, without what is kept.
    let partial = Request { without_archive: true, ..to("0.19.1") };
    deployment.migrate(partial).await;
    let view = ObjectId::new();
    deployment.plant("views", [doc! { "_id": view, "name": "mine" }]).await;
    edit(&deployment, doc! { "$push": { "saved_views": view } }).await;
    let report = up(&deployment, NEWEST).await;
    assert_eq!(conflicts(&report), [""; 0]);

    let now = images(&deployment).await;
    let was = of(&before, "datasets", "img-det");
    let old = was.get_array("saved_views").unwrap()[0].clone();
    assert_eq!(now.get_array("saved_views").unwrap(), &vec![view.into(), old]);
    assert_eq!(deployment.all("views").await.len(), 2);
    let evaluations = now.get_document("evaluations").unwrap();
    assert_eq!(evaluations.get("ev"), was.get_document("evaluations").unwrap().get("ev"));
    assert!(evaluations.get_object_id("mine").is_ok());
    assert_eq!(deployment.all("runs").await.len(), 3);
    let ids = |it: Vec<Document>| {
        it.into_iter().map(|it| it.get("_id").unwrap().clone()).collect::<Vec<_>>()
    };
    let samples = ids(deployment.all(samples).await);
    assert!(samples.contains(&added.into()) && !samples.contains(&gone));
}

#[tokio::test]
async fn two_downgrades_are_given_back_one_after_the_other() {
    let (deployment, before) = taken_down("0.20.0").await;
    // There are no annotation schemas, but saved views, one of which is deleted there.
    let view = of(&before, "datasets", "img-det").get_array("saved_views").unwrap()[0].clone();
    edit(&deployment, doc! { "$pull": { "saved_views": &view }, "$set": { "description": "new" } })
        .await;
    deployment.collection("views").delete_one(doc! { "_id": view }).await.unwrap();
    deployment.migrate(to("0.15.0")).await;
    edit(&deployment, doc! { "$set": { "info.n": 7 } }).await;
    let report = up(&deployment, NEWEST).await;
    assert_eq!(conflicts(&report), [""; 0]);
    let mut expected = of(&before, "datasets", "img-det").clone();
    expected.get_document_mut("info").unwrap().insert("n", 7);
    expected.insert("description", "new");
    expected.insert("saved_views", Bson::Array(Vec::new()));
    assert_eq!(images(&deployment).await, expected);
}

#[tokio::test]
async fn a_way_up_in_steps_gives_back_what_each_step_knows_and_loses_no_edit() {
    let (deployment, before) = taken_down("0.15.0").await;
    edit(&deployment, doc! { "$set": { "info.n": 7 } }).await;
    up(&deployment, "0.20.0").await;
    let now = images(&deployment).await;
    let was = of(&before, "datasets", "img-det");
    assert_eq!(now.get("saved_views"), was.get("saved_views"));
    assert_eq!(now.get("tags"), was.get("tags"));
    assert!(!now.contains_key("runs") && !now.contains_key("label_schemas"));
    // What came back is deleted there, and does not come back once more.
    edit(&deployment, doc! { "$set": { "tags": [] } }).await;
    let report = up(&deployment, NEWEST).await;
    assert_eq!(conflicts(&report), [""; 0]);
    let mut expected = was.clone();
    expected.get_document_mut("info").unwrap().insert("n", 7);
    expected.insert("tags", Bson::Array(Vec::new()));
    assert_eq!(images(&deployment).await, expected);
    let mut left = dump(&deployment).await;
    let mut wanted = before.clone();
    left.remove("datasets");
    wanted.remove("datasets");
    same("the rest", &wanted, &left);
}

#[tokio::test]
async fn what_fiftyone_itself_has_brought_up_gets_it_back_all_the_same() {
    for version in ["0.19.1", NEWEST] {
        let (deployment, before) = taken_down("0.18.0").await;
        // As FiftyOne does: with ids of its own, and without anything that was kept.
        deployment.migrate(Request { without_archive: true, ..to(version) }).await;
        let dataset = deployment.dataset("img-det").await;
        let drawn = dataset.get_document("evaluations").unwrap().get_object_id("ev").unwrap();
        let runs = deployment.collection("runs");
        let mut run = runs.find_one_and_delete(doc! { "_id": drawn }).await.unwrap().unwrap();
        let other = ObjectId::new();
        run.insert("_id", other);
        runs.insert_one(run).await.unwrap();
        edit(&deployment, doc! { "$set": { "evaluations.ev": other } }).await;
        let report = up(&deployment, NEWEST).await;
        assert_eq!(conflicts(&report), [""; 0]);
        same(version, &before, &dump(&deployment).await);
        let again = up(&deployment, NEWEST).await;
        assert_eq!(again.count(Became::Migrated), 0, "there is nothing left to give back");
    }
}

#[tokio::test]
async fn giving_back_can_be_interrupted_at_each_write_and_done_again() {
    let server = Mongod::start(&["--setParameter", "enableTestCommands=1"]);
    for (at, (command, place)) in [
        ("insert", "NAME.runs"),
        ("insert", "NAME.views"),
        ("update", "NAME.delegated_ops"),
        ("update", "NAME.datasets"),
        ("update", "fiftyone_migrate.archive"),
    ]
    .iter()
    .enumerate()
    {
        let name = format!("given-{at}");
        let deployment = Deployment::planted(&server, &name, &State::newest()).await;
        let before = dump(&deployment).await;
        deployment.migrate(to("0.18.0")).await;
        let place = place.replace("NAME", &name);
        server.fail(command, &place, true).await;
        let (control, _meter, _events) = Control::new();
        let failed = deployment.engine().await.migrate(&console(), to(NEWEST), control).await;
        server.fail(command, &place, false).await;
        let failed = failed.unwrap();
        let told = failed.datasets.iter().any(|it| it.is_failure() || !it.warnings.is_empty());
        assert!(told, "{place} was not written to");
        up(&deployment, NEWEST).await;
        same(&place, &before, &dump(&deployment).await);
        let waits = deployment.engine().await.archive().await.unwrap();
        assert!(waits.iter().all(|it| it.state == ArchiveState::GivenBack), "{place}: {waits:?}");
    }
}

#[tokio::test]
async fn keeping_can_be_interrupted_and_what_did_not_go_down_gets_nothing() {
    let server = Mongod::start(&["--setParameter", "enableTestCommands=1"]);
    let deployment = Deployment::planted(&server, "kept", &State::newest()).await;
    let original = dump(&deployment).await;
    server.fail("update", "kept.datasets", true).await;
    let failed = deployment.migrate(to("0.18.0")).await;
    server.fail("update", "kept.datasets", false).await;
    assert!(failed.count(Became::Failed) > 0);
    // It stays where it was, and its view is deleted there.
    edit(&deployment, doc! { "$set": { "saved_views": [] } }).await;
    deployment.collection("views").delete_many(doc! {}).await.unwrap();
    // Somebody works on with it.
    let samples = images(&deployment).await.get_str("sample_collection_name").unwrap().to_owned();
    let mut added = deployment.collection(&samples).find_one(doc! {}).await.unwrap().unwrap();
    added.extend(doc! { "_id": ObjectId::new(), "created_at": DateTime::from_millis(7) });
    deployment.collection(&samples).insert_one(added).await.unwrap();
    let mut before = dump(&deployment).await;
    let stays = up(&deployment, NEWEST).await;
    assert_eq!(stays.count(Became::Migrated), 0);
    same("stays", &before, &dump(&deployment).await);
    // Down after all, by another run, and up again: with what the first one had begun to overwrite.
    deployment.migrate(to("0.17.2")).await;
    up(&deployment, NEWEST).await;
    before.insert("delegated_ops".to_owned(), original["delegated_ops"].clone());
    // What the first one had removed of samples is there again, and what was added after it is not lost either.
    let mut all = original[&samples].clone();
    all.extend(before[&samples].last().cloned());
    before.insert(samples, all);
    same("there and back", &before, &dump(&deployment).await);
}

async fn undo(deployment: &Deployment, run: &Report) {
    let (control, _meter, _events) = Control::new();
    let id = run.run.as_deref().unwrap();
    let undone = deployment.engine().await.undo(&console(), id, &[], control).await.unwrap();
    let reasons: Vec<_> = undone.datasets.iter().filter_map(|it| it.reason.as_ref()).collect();
    assert_eq!(undone.run_state, Some(JobState::Undone), "{reasons:?}");
}

#[tokio::test]
async fn undoing_a_downgrade_leaves_nothing_to_give_back() {
    let deployment = Deployment::holding(&State::newest()).await;
    let before = dump(&deployment).await;
    let down = deployment.migrate(to("0.15.0")).await;
    assert!(!deployment.engine().await.archive().await.unwrap().is_empty());
    undo(&deployment, &down).await;
    same("undone", &before, &dump(&deployment).await);
    assert!(deployment.engine().await.archive().await.unwrap().is_empty());
    assert_eq!(up(&deployment, NEWEST).await.count(Became::Migrated), 0);
}

#[tokio::test]
async fn undoing_an_upgrade_takes_back_what_was_given_and_it_is_given_again() {
    for version in ["0.6.4", "0.15.0", "0.18.0", "1.3.0"] {
        let (deployment, before) = taken_down(version).await;
        let low = dump(&deployment).await;
        let upgrade = up(&deployment, NEWEST).await;
        same(version, &before, &dump(&deployment).await);
        undo(&deployment, &upgrade).await;
        same(version, &low, &dump(&deployment).await);
        up(&deployment, NEWEST).await;
        same(version, &before, &dump(&deployment).await);
    }
}

#[tokio::test]
async fn an_entry_that_is_damaged_stops_its_dataset_until_somebody_decides() {
    let (deployment, _) = taken_down("0.15.0").await;
    let (entries, documents) = ("archive", "archive_documents");
    let [entries, documents] =
        [entries, documents].map(|it| deployment.jobs().collection::<Document>(it));
    let ours = doc! { "_id.database": deployment.database.name(), "name": "img-det" };
    let entry = entries.find_one(ours).await.unwrap().unwrap();
    let run = entry.get_document("_id").unwrap().get("run").unwrap();
    let view = doc! { "_id.run": run, "kind": "view" };
    assert_eq!(documents.delete_one(view).await.unwrap().deleted_count, 1);
    let low = deployment.dataset("img-det").await;
    let report = deployment.migrate(to(NEWEST)).await;
    let refused: Vec<_> = report.datasets.iter().filter(|it| it.state == Became::Refused).collect();
    let [refused] = refused.as_slice() else { panic!("{:?}", report.datasets) };
    let reason = refused.reason.as_deref().unwrap();
    assert!(
        reason.starts_with("dataset `img-det`: what the archive keeps of it cannot be read ("),
        "{reason}"
    );
    assert!(reason.contains("`fiftyone-migrate archive forget`"), "{reason}");
    assert_eq!(deployment.dataset("img-det").await, low);
    // By explicit choice, as FiftyOne does it.
    let report = deployment.migrate(Request { without_archive: true, ..to(NEWEST) }).await;
    assert_eq!(report.count(Became::Refused), 0);
    assert_eq!(deployment.version_of("img-det").await, NEWEST.into());
    assert!(deployment.all("views").await.is_empty());
}

#[tokio::test]
async fn without_the_archive_nothing_is_kept_and_that_is_said() {
    let deployment = Deployment::holding(&State::newest()).await;
    let down = program!(["--all", "-v", "0.15.0", "--without-archive"]);
    let ended = deployment.led_by(down).run().await;
    assert!(ended.stderr.contains("what is dropped on the way down is lost"), "{}", ended.stderr);
    assert!(deployment.engine().await.archive().await.unwrap().is_empty());
}

#[tokio::test]
async fn both_plans_name_what_is_kept_and_what_comes_back() {
    let deployment = Deployment::holding(&State::newest()).await;
    let plan = program!(["--all", "-v", "0.15.0", "--dry-run"]);
    let plan = deployment.led_by(plan).run().await;
    let line = plan.stdout.lines().find(|it| it.contains("kept in the archive")).unwrap();
    assert!(line.starts_with("  not seen there, kept in the archive, and given back on the way up: 1 saved view, 1 dataset tag, "), "{line}");
    deployment.migrate(to("0.15.0")).await;
    let plan = program!(["--all", "--dry-run"]);
    let plan = deployment.led_by(plan).run().await.with(0);
    let line = plan.stdout.lines().find(|it| it.contains("will be given back")).unwrap();
    assert!(line.starts_with("  will be given back: 1 saved view, 1 dataset tag, "), "{line}");
    let json =
        deployment.led_by(program!(["--all", "--dry-run", "--json"])).run().await.with(0).json();
    let images = json["datasets"].as_array().unwrap().iter().find(|it| it["name"] == "img-det");
    assert_eq!(images.unwrap()["given_back"][0], "1 saved view");
}

#[tokio::test]
async fn what_is_kept_for_a_deleted_dataset_is_found_and_dropped() {
    let (deployment, _) = taken_down("0.15.0").await;
    deployment.collection("datasets").delete_one(doc! { "name": "img-det" }).await.unwrap();
    let listed = deployment.seen_by(program!(["archive"])).run().await.with(0);
    assert!(listed.stdout.contains("the dataset was deleted"), "{}", listed.stdout);
    let dropped =
        deployment.led_by(program!(["archive", "forget", "--all-gone"])).run().await.with(0);
    assert_eq!(dropped.stdout, "Dropped what was kept for img-det\n");
    let left = deployment.engine().await.archive().await.unwrap();
    assert!(left.iter().all(|it| it.state == ArchiveState::Waits), "{left:?}");
    let unknown = deployment.led_by(program!(["archive", "forget", "nobody"])).run().await;
    unknown.refused(
        1,
        "the archive has nothing of a dataset `nobody`; `fiftyone-migrate archive` lists what it has",
    );
}

#[tokio::test]
async fn a_name_that_somebody_took_meanwhile_stays_theirs() {
    let (deployment, before) = taken_down("0.18.0").await;
    let was = of(&before, "datasets", "img-det");
    edit(&deployment, doc! { "$set": { "name": "moved" } }).await;
    let mut other = image_dataset("img-det");
    other.insert("version", "0.18.0");
    deployment.plant("datasets", [other.clone()]).await;
    let report = up(&deployment, NEWEST).await;
    assert_eq!(conflicts(&report), [""; 0]);
    let moved = sorted(&deployment.dataset("moved").await);
    assert_eq!(moved.get("_id"), was.get("_id"));
    assert_eq!(moved.get_str("slug").unwrap(), "moved");
    assert_eq!(moved.get("saved_views"), was.get("saved_views"));
    assert_eq!(deployment.dataset("img-det").await.get("_id"), other.get("_id"));
}

#[tokio::test]
async fn values_of_samples_come_back_where_nobody_has_set_them_meanwhile() {
    let deployment = Deployment::empty().await;
    deployment.configure("0.6.5").await;
    let field = |name: &str| {
        let ftype = "fiftyone.core.fields.StringField";
        Bson::from(
            doc! { "name": name, "ftype": ftype, "subfield": null, "embedded_doc_type": null },
        )
    };
    let samples = "samples.old".to_owned();
    let dataset = doc! {
        "_id": ObjectId::new(), "name": "old", "version": "0.6.5", "media_type": "image",
        "sample_collection_name": &samples, "persistent": true, "info": {}, "frame_fields": [],
        "sample_fields": [field("_media_type"), field("filepath"), field("line")],
    };
    // A key in the way of the rename, and a polyline without a shape, of which going down and up makes one with one.
    let empty = doc! { "_cls": "Polyline", "points": [] };
    let many = image_samples(1200).map(|mut it| {
        it.insert("media_type", "mine");
        it.insert("line", empty.clone());
        it
    });
    deployment.plant("datasets", [dataset]).await;
    deployment.plant(&samples, many).await;
    let before = dump(&deployment).await;
    deployment.migrate(to("0.6.1")).await;
    assert!(dump(&deployment).await[&samples][0].get_str("media_type").unwrap() == "image");
    let id = before[&samples][7].get("_id").unwrap().clone();
    let gone = before[&samples][8].get("_id").unwrap().clone();
    let set = doc! { "$set": { "line.points": [[[0.5, 0.5]]] } };
    let collection = deployment.collection(&samples);
    collection.update_one(doc! { "_id": &id }, set).await.unwrap();
    collection.delete_one(doc! { "_id": &gone }).await.unwrap();
    up(&deployment, "0.6.5").await;
    let mut expected = before.clone();
    let documents = expected.get_mut(&samples).unwrap();
    documents[7].insert("line", doc! { "_cls": "Polyline", "points": [[[0.5, 0.5]]] });
    documents.remove(8);
    same("values", &expected, &dump(&deployment).await);
}

/// How often somebody edits a dataset, each time too late for it to be read and too early for it to be committed.
const EDITS: i32 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_that_is_edited_while_it_goes_down_gets_back_what_it_had_at_last() {
    let deployment = Deployment::holding(&State::newest()).await;
    let before = dump(&deployment).await;
    let datasets = deployment.collection("datasets");
    // Each time it is about to be committed, somebody has edited it since it was read.
    let (there, wire) = deployment.held(1, "update", "datasets").await;
    let mut migrating = Box::pin(there.migrate(to("0.15.0")));
    let mut edits = 0_i32;
    let down = loop {
        let at = usize::try_from(edits).unwrap() + 1;
        tokio::select! {
            down = &mut migrating => break down,
            () = wire.held(at), if edits < EDITS => {
                let edit = doc! { "$inc": { "info.edits": 1 }, "$set": { "tags": [edits.to_string()] } };
                // Where there are no tags any more, nobody sets them.
                let known = doc! { "name": "img-det", "tags": { "$exists": true } };
                let edited = datasets.update_one(known, edit).await.unwrap();
                assert_eq!(edited.modified_count, 1, "it was down after {edits} edits");
                edits += 1;
                if edits < EDITS { wire.let_through(at) } else { wire.release() }
            }
        }
    };
    assert!(
        edits == EDITS && down.count(Became::Migrated) == 2,
        "{edits} edits: {:?}",
        down.datasets
    );
    let report = up(&deployment, NEWEST).await;
    assert_eq!(conflicts(&report), [""; 0]);
    let mut expected = before.clone();
    let images = expected.get_mut("datasets").unwrap().iter_mut();
    for it in images.filter(|it| it.get_str("name").is_ok_and(|it| it == "img-det")) {
        it.get_document_mut("info").unwrap().insert("edits", edits);
        it.insert("tags", vec![(edits - 1).to_string()]);
    }
    same("edited", &expected, &dump(&deployment).await);
}
