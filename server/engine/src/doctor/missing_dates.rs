//! Datasets at 1.0.0 or later whose samples or frames lack the dates that 1.0.0 gave them: a migration was killed, or an
//! older client has added samples since.

use bson::{Bson, Document, doc};
use futures_util::{StreamExt, TryStreamExt};
use revisions::{Release, Shape};

use super::{
    Finding, Kind, Outcome, Patient, Subject, Surgery,
    finding::many,
    references::known_version,
    surgery::doctor,
    walk::{Errand, Tally, walk},
};
use crate::{pass::Halt, store::Failure};

pub(super) const KIND: Kind = Kind {
    name: "missing_dates",
    find: |patient| Box::pin(find(patient)),
    mend: |surgery, finding| Box::pin(mend(surgery, finding)),
};

/// How many collections are looked at side by side.
const SIDE_BY_SIDE: usize = 4;

const KEYS: [&str; 2] = ["created_at", "last_modified_at"];

const DATE: &str = "fiftyone.core.fields.DateTimeField";

/// A collection of a dataset, and the dates that every document in it should have.
#[derive(Clone, Debug, PartialEq)]
struct Dated {
    /// `samples` or `frames`.
    what: &'static str,
    collection: String,
    keys: Vec<&'static str>,
}

fn projection() -> Document {
    doc! {
        "name": 1, "version": 1, "sample_collection_name": 1, "frame_collection_name": 1,
        "sample_fields.name": 1, "sample_fields.ftype": 1, "frame_fields.name": 1, "frame_fields.ftype": 1,
    }
}

/// The collections of a dataset that should have dates: those whose schema declares them.
fn dated(document: &Document) -> Vec<Dated> {
    if known_version(document).is_none_or(|it| it < Release::new([1])) {
        return Vec::new();
    }
    let samples = document.text("sample_collection_name");
    // The frames behind a view are those of another dataset.
    let generated = ["patches.", "frames.", "clips."].iter().any(|it| samples.starts_with(it));
    let frames = if generated { "" } else { document.text("frame_collection_name") };
    let both = [("samples", samples, "sample_fields"), ("frames", frames, "frame_fields")];
    let both = both.into_iter().filter(|(_, collection, _)| !collection.is_empty());
    both.map(|(what, collection, schema)| {
        let keys = KEYS.into_iter().filter(|key| declares(document, schema, key)).collect();
        Dated { what, collection: collection.to_owned(), keys }
    })
    .filter(|it| !it.keys.is_empty())
    .collect()
}

fn declares(document: &Document, schema: &str, key: &str) -> bool {
    let fields = document.get_array(schema).into_iter().flatten().filter_map(Bson::as_document);
    fields.into_iter().any(|it| it.text("name") == key && it.text("ftype") == DATE)
}

async fn find(patient: &Patient) -> Result<Vec<Finding>, Failure> {
    let datasets = patient.store.look_over("datasets", projection()).await?;
    let checked = datasets.map(|read| async move {
        match read? {
            Ok(document) => check(patient, &document).await,
            Err(_) => Ok(None),
        }
    });
    checked.buffered(SIDE_BY_SIDE).try_filter_map(|it| async move { Ok(it) }).try_collect().await
}

async fn check(patient: &Patient, document: &Document) -> Result<Option<Finding>, Failure> {
    let (mut lacking, mut examples, mut counts) = (0, Vec::new(), Vec::new());
    for it in dated(document).iter().filter(|it| patient.existing.contains(&it.collection)) {
        let mut most = 0;
        for key in &it.keys {
            let walked = walk(&patient.store, None, &it.collection, key, Errand::Count).await;
            let Tally { count, examples: some } = walked.map_err(Halt::into_failure)?;
            counts.push((format!("{} without `{key}`", it.what), count));
            examples.extend(some.iter().map(|id| Subject::new(id.clone(), None).id));
            most = most.max(count);
        }
        lacking += most;
    }
    if lacking == 0 {
        return Ok(None);
    }
    examples.dedup();
    let problem = format!(
        "{} at v{} without the dates that every one has since 1.0.0",
        many(lacking, "sample or frame is", "samples or frames are"),
        document.text("version"),
    );
    let remedy = doctor(
        "give those that lack it `created_at` from their `_id`, and `last_modified_at` the time of the repair",
    );
    let finding = Finding::new(KIND.name, Some(Subject::of(document)), problem, remedy);
    let finding = finding.show(examples);
    Ok(Some(counts.into_iter().fold(finding, |it, (what, count)| it.count(what, count))))
}

async fn mend(surgery: &Surgery, finding: &Finding) -> Result<Outcome, Halt> {
    let Patient { store, existing, .. } = &surgery.patient;
    let key = finding.dataset.as_ref().map(|it| it.key.clone()).unwrap_or_default();
    let read = store.datasets(&[key]).await?.pop().flatten();
    let Some(document) = read.and_then(|it| Document::try_from(it.as_ref()).ok()) else {
        return Ok(Outcome::Mended("nothing: the dataset is gone".to_owned()));
    };
    // What is added can be told from what was there by nothing but this: nothing that was there is changed.
    let record = surgery.begin(finding, Vec::new(), Vec::new()).await?;
    let mut done = Vec::new();
    for it in dated(&document).iter().filter(|it| existing.contains(&it.collection)) {
        for key in &it.keys {
            let value = if *key == "created_at" {
                created(surgery)
            } else {
                doc! { "$literal": surgery.now }.into()
            };
            let control = Some(&surgery.control);
            let filled = walk(store, control, &it.collection, key, Errand::Fill(&value)).await?;
            if filled.count > 0 {
                done.push(format!("{} {} got `{key}`", filled.count, it.what));
            }
        }
    }
    let done = if done.is_empty() { "nothing".to_owned() } else { done.join(", ") };
    surgery.end(record, &done).await?;
    Ok(Outcome::Mended(done))
}

/// When a document was created, as revision 1.0.0 has it.
fn created(surgery: &Surgery) -> Bson {
    doc! { "$cond": [
        { "$eq": [{ "$type": "$_id" }, "objectId"] },
        { "$toDate": "$_id" },
        { "$literal": surgery.now },
    ] }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(version: &str, samples: &str) -> Document {
        let dates = KEYS.map(|key| doc! { "name": key, "ftype": DATE }).to_vec();
        doc! {
            "version": version, "sample_collection_name": samples, "frame_collection_name": "frames.samples.1",
            "sample_fields": &dates, "frame_fields": &dates[..1],
        }
    }

    #[test]
    fn what_is_declared_is_looked_for_from_1_0_0_on() {
        let found = dated(&dataset("1.0.0", "samples.1"));
        let of = |what, collection: &str, keys: &[&'static str]| Dated {
            what,
            collection: collection.to_owned(),
            keys: keys.to_vec(),
        };
        assert_eq!(
            found,
            [of("samples", "samples.1", &KEYS), of("frames", "frames.samples.1", &KEYS[..1])]
        );
        assert_eq!(dated(&dataset("0.25.2", "samples.1")), []);
        assert_eq!(dated(&dataset("99.0.0", "samples.1")), []);
    }

    #[test]
    fn the_frames_of_a_view_are_those_of_another_dataset() {
        let found = dated(&dataset("1.22.1", "clips.1"));
        assert_eq!(found.iter().map(|it| it.what).collect::<Vec<_>>(), ["samples"]);
    }

    #[test]
    fn a_field_of_that_name_and_another_type_is_somebody_elses() {
        let mut document = dataset("1.0.0", "samples.1");
        let field = doc! { "name": "created_at", "ftype": "fiftyone.core.fields.StringField" };
        document.insert("sample_fields", vec![field]);
        assert_eq!(dated(&document).len(), 1, "only the frames");
    }
}
