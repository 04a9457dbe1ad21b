//! v0.6.5: a sample's media type is private, `_media_type`.
//!
//! Source: `fiftyone/migrations/revisions/v0_6_5.py`.

use crate::*;

pub(crate) const REVISION: Revision = Revision {
    version: Version::new(0, 6, 5),
    summary: "Store a sample's media type as `_media_type`",
    loses: None,
    reads: &[],
    promise: Promise { up: &[Claim::LacksField(Of::All, "media_type")], down: &[Claim::LacksField(Of::All, "_media_type")] },
    up: |dataset, cx| rename_field(dataset, cx, "media_type", "_media_type"),
    down: |dataset, cx| rename_field(dataset, cx, "_media_type", "media_type"),
};

fn rename_field(
    dataset: &mut Dataset,
    cx: &mut Context<'_>,
    from: &str,
    to: &str,
) -> Result<(), Reason> {
    for field in dataset.sample_fields()?.into_iter().filter(|it| it.text("name") == from) {
        field.insert("name", to);
    }
    cx.samples().rename(from, to);
    Ok(())
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};

    use super::*;
    use crate::trial::{Trial, alone};

    fn run(transform: Transform, document: Document) -> Result<(Document, Vec<Step>), Reason> {
        let Trial { dataset, steps, .. } = alone(transform, document)?;
        Ok((dataset.document, steps))
    }

    #[test]
    fn the_field_is_renamed_in_the_schema_and_in_the_samples_and_back() {
        let old = doc! { "sample_fields": [{ "name": "media_type", "ftype": "t" }, { "name": "a" }] };
        let new = doc! { "sample_fields": [{ "name": "_media_type", "ftype": "t" }, { "name": "a" }] };
        let sample = doc! { "_id": 1, "media_type": "image" };

        let (document, steps) = run(REVISION.up, old.clone()).unwrap();
        assert_eq!(document, new);
        let [Step::Update { scope: Scope::Samples, update }] = steps.as_slice() else { panic!() };
        let mut changed = sample.clone();
        update.apply(&mut changed);
        assert_eq!(changed, doc! { "_id": 1, "_media_type": "image" });

        let (document, steps) = run(REVISION.down, new).unwrap();
        assert_eq!(document, old);
        let [Step::Update { scope: Scope::Samples, update }] = steps.as_slice() else { panic!() };
        update.apply(&mut changed);
        assert_eq!(changed, sample);
    }

    #[test]
    fn frame_fields_and_fields_without_a_name_stay_as_they_are() {
        let document = doc! {
            "sample_fields": [{ "ftype": "t" }, { "name": null }],
            "frame_fields": [{ "name": "media_type" }],
        };
        assert_eq!(run(REVISION.up, document.clone()).unwrap().0, document);
    }

    #[test]
    fn samples_are_renamed_even_where_the_schema_is_missing_or_null() {
        for document in [doc! {}, doc! { "sample_fields": null }] {
            let (after, steps) = run(REVISION.up, document.clone()).unwrap();
            assert_eq!((after, steps.len()), (document, 1));
        }
    }

    #[test]
    fn a_schema_that_is_no_list_is_refused() {
        let reason = run(REVISION.up, doc! { "sample_fields": 1 }).unwrap_err();
        assert!(reason.to_string().contains("`sample_fields` is a number"), "{reason}");
    }
}
