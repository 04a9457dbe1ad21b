//! What a run's page tells of its course, and its log a page at a time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bson::{DateTime, Document, doc, oid::ObjectId};
use engine::{Control, Engine, Error, JobEvent};
use model::{Action, LogPage, Permit, Principal, Role, RunMoment};
use tests::{Deployment, NEWEST, console, image_dataset, to};

use super::asked::{Server, admin, until};

fn member() -> Permit {
    Principal { name: "bob".to_owned(), role: Role::Member }.permit(Action::ReadStatus).unwrap()
}

async fn left(engine: &Engine) -> String {
    let (control, _meter, _events) = Control::new();
    let left = engine.leave_to_a_server(&console(), &to(NEWEST), control).await.unwrap();
    left.unwrap().0.id
}

async fn timeline(engine: &Engine, permit: &Permit, id: &str) -> Vec<RunMoment> {
    engine.shown_run(permit, id, None).await.unwrap().timeline
}

/// What is said first of each moment.
fn said(moments: &[RunMoment]) -> Vec<&str> {
    moments.iter().map(|it| it.first.as_str()).collect()
}

/// Writes lines into a run's log as an older version of this program did, or another process.
async fn plant(deployment: &Deployment, id: &str, lines: impl IntoIterator<Item = Document>) {
    let run = ObjectId::parse_str(id).unwrap();
    let lines = lines.into_iter().map(|mut it| {
        it.insert("run", run);
        it
    });
    let log = deployment.jobs().collection::<Document>("run_log");
    log.insert_many(lines).await.unwrap();
}

fn line(at_ms: i64, text: &str) -> Document {
    doc! { "at": DateTime::from_millis(at_ms), "by": "Root@lab", "text": text }
}

fn numbers(page: &LogPage) -> Vec<u64> {
    page.lines.iter().map(|it| it.number).collect()
}

#[tokio::test]
async fn the_course_of_a_run_is_told_to_everybody_and_names_no_dataset() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("secret")]).await;
    let engine = deployment.engine().await;
    let id = left(&engine).await;
    engine.set_pace(&admin(), &id, |it| it).await.unwrap();
    engine.ask(&admin(), &id, JobEvent::Cancel, None).await.unwrap();
    engine.ask(&admin(), &id, JobEvent::Resume, None).await.unwrap();
    let server = Server::on(&deployment).await;
    until(&deployment, &id, "completed").await;
    engine.ask(&admin(), &id, JobEvent::Undo, None).await.unwrap();
    until(&deployment, &id, "undone").await;
    server.end().await;

    // By another process, so to say.
    let engine = deployment.engine().await;
    let all = timeline(&engine, &admin(), &id).await;
    let said = said(&all);
    assert!(said[1].starts_with("Changed the pace: "), "{said:?}");
    assert_eq!(said[0], "Asked for");
    assert_eq!(
        said[2..],
        [
            "Cancelled: nothing was under way",
            "Asked that it be resumed",
            "Went on: migrating",
            "Verifying",
            "Completed and verified",
            "Asked that it be undone",
            "Undoing",
            "Undone: everything is as it was before",
        ]
    );
    assert!(all.is_sorted_by(|a, b| a.at <= b.at), "{all:#?}");
    assert!(all[3].then.starts_with("ada"), "{all:#?}");
    assert!(all[4].then.contains("(process "), "{all:#?}");
    let less = timeline(&engine, &member(), &id).await;
    assert_eq!(less, all);
    assert!(!format!("{less:?}").contains("secret"), "{less:#?}");
}

#[tokio::test]
async fn a_server_that_takes_a_run_over_is_in_its_timeline() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("one")]).await;
    let engine = deployment.engine().await;
    let id = left(&engine).await;
    // As if whoever had begun it were gone.
    let runs = deployment.jobs().collection::<Document>("runs");
    let now = DateTime::now();
    let begun = doc! { "$set": { "state": "running", "begun": now, "started": now } };
    runs.update_one(doc! { "_id": ObjectId::parse_str(&id).unwrap() }, begun).await.unwrap();
    let before = timeline(&engine, &admin(), &id).await;
    assert_eq!(said(&before), ["Asked for", "Migrating"]);
    assert_eq!(before[1].then, "nobody carries it out");
    let server = Server::on(&deployment).await;
    until(&deployment, &id, "completed").await;
    server.end().await;
    let after = timeline(&engine, &admin(), &id).await;
    assert_eq!(said(&after)[1..3], ["Taken over: migrating", "Verifying"], "{after:#?}");
    assert_eq!(after[1].mark, "process");
}

#[tokio::test]
async fn a_timeline_has_an_end_however_much_happens() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("one")]).await;
    let engine = deployment.engine().await;
    let id = left(&engine).await;
    let held = |at: i64| {
        let what = if at % 2 == 0 {
            doc! { "kind": "holds", "reason": format!("it is {at} s behind") }
        } else {
            doc! { "kind": "goes_on" }
        };
        let mut line = line(at * 1_000, "x");
        line.insert("what", what);
        line
    };
    plant(&deployment, &id, (0..1_000).map(held)).await;
    // What a later version of this program tells is left to it.
    let mut unknown = line(2_000_000, "dances");
    unknown.insert("what", doc! { "kind": "dances" });
    plant(&deployment, &id, [unknown, line(2_000_001, "is told in words only")]).await;
    let moments = timeline(&engine, &member(), &id).await;
    assert!(moments.len() <= 62, "{}", moments.len());
    let said = said(&moments);
    assert_eq!(said[..3], ["Asked for", "Held: it is 0 s behind", "Held: it is 2 s behind"]);
    assert_eq!(moments[1].then, "for 1.0 s");
    assert!(said.contains(&"941 moments left out here; the log has all"), "{said:?}");
    assert_eq!(said.last(), Some(&"Held: it is 998 s behind"));
}

#[tokio::test]
async fn a_log_is_read_in_pages_and_a_line_is_found_where_it_is() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("one")]).await;
    let engine = deployment.engine().await;
    let id = left(&engine).await;
    let page = async |words: &str, page: u64, line: Option<u64>| {
        engine.log_page(&admin(), &id, words, page, line).await.unwrap()
    };
    let nothing = page("", 1, None).await;
    assert_eq!((nothing.found, nothing.pages(), nothing.lines.len()), (0, 1, 0));
    // All in the same millisecond: the order that they have is theirs for ever.
    plant(&deployment, &id, (1..=450).map(|it| line(1_000, &format!("says {it}.")))).await;
    let first = page("", 1, None).await;
    assert_eq!((first.found, first.all, first.pages()), (450, 450, 3));
    assert_eq!(numbers(&first), (251..=450).rev().collect::<Vec<_>>());
    for it in &first.lines {
        assert_eq!(it.line.text, format!("says {}.", it.number));
    }
    let last = page("", 3, None).await;
    assert_eq!(numbers(&last), (1..=50).rev().collect::<Vec<_>>());
    assert_eq!(page("", 99, None).await, last);
    assert_eq!(page("", 0, None).await, first);
    let at = page("nothing like it", 1, Some(50)).await;
    assert_eq!((at.page, at.line, at.words.as_str()), (3, Some(50), ""));
    assert_eq!(numbers(&at), numbers(&last));
    assert_eq!((page("", 1, Some(51)).await.page, page("", 1, Some(251)).await.page), (2, 1));
    assert_eq!(page("", 1, Some(451)).await, first);

    // The server's clock was set back: what comes later is later all the same.
    let far = DateTime::now().timestamp_millis() + 3_600_000;
    plant(&deployment, &id, [line(far, "from an hour that has not come")]).await;
    engine.set_pace(&admin(), &id, |it| it).await.unwrap();
    let newest = page("", 1, None).await.lines.remove(0);
    assert!(newest.number == 452 && newest.line.text.starts_with("shall run"), "{newest:?}");
}

#[tokio::test]
async fn a_log_is_searched_for_what_was_typed_and_nothing_else() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("one")]).await;
    let engine = deployment.engine().await;
    let id = left(&engine).await;
    let texts = ["is Über (a.b) [c]", "is ueber aXb", "holds: 12 % $x", "\\d+ ^x", "the end"];
    let at = |n: usize| i64::try_from(n).unwrap() * 1_000;
    plant(&deployment, &id, texts.iter().enumerate().map(|(n, it)| line(at(n), it))).await;
    let found = async |words: &str| {
        let page = engine.log_page(&admin(), &id, words, 1, None).await.unwrap();
        let file = engine.export_log(&admin(), &id, words).await.unwrap();
        assert_eq!((page.found, page.all), (u64::try_from(file.len()).unwrap(), 5), "{words}");
        let both = page.lines.iter().rev().map(|it| &it.line).zip(&file);
        assert!(both.clone().all(|(a, b)| a == b), "{words}");
        numbers(&page)
    };
    assert_eq!(found("A.B").await, [1]);
    assert_eq!(found(" über ").await, [1]);
    assert_eq!(found("IS").await, [2, 1]);
    assert_eq!(found("root@LAB").await, [5, 4, 3, 2, 1]);
    assert_eq!(found("\\d+").await, [4]);
    assert_eq!(found("$x").await, [3]);
    assert_eq!(found("(a.b) [c]").await, [1]);
    assert_eq!(found(".*").await, [0_u64; 0]);
    // Each third of many, over several pages.
    plant(&deployment, &id, (0..900).map(|it| line(10_000 + it, &format!("third {}", it % 3))))
        .await;
    let page = engine.log_page(&admin(), &id, "third 2", 2, None).await.unwrap();
    assert_eq!((page.found, page.pages(), page.page), (300, 2, 2));
    assert_eq!(numbers(&page)[..2], [5 + 300, 5 + 297]);
    assert_eq!(page.lines[0].line.text, "third 2");
    let long = "x".repeat(100_000);
    assert_eq!(engine.log_page(&admin(), &id, &long, 1, None).await.unwrap().words.len(), 200);
}

#[tokio::test]
async fn a_log_is_for_those_who_may_see_names() {
    let deployment = Deployment::at("0.18.0").await;
    deployment.plant("datasets", [image_dataset("one")]).await;
    let engine = deployment.engine().await;
    let id = left(&engine).await;
    let page = engine.log_page(&member(), &id, "", 1, None).await;
    assert!(matches!(page, Err(Error::Denied(_))), "{page:?}");
    let file = engine.export_log(&member(), &id, "").await;
    assert!(matches!(file, Err(Error::Denied(_))), "{file:?}");
    let none = engine.log_page(&admin(), "7", "", 1, None).await;
    assert!(matches!(none, Err(Error::UnknownRun(_))), "{none:?}");
}
