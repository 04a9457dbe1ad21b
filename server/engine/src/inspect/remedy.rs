//! What can be done about what keeps a dataset from going somewhere: in words, and as commands to type.

use bson::Document;
use model::{DatasetRemedy, FieldRename, quoted};
use revisions::{Release, Shape};

use crate::doctor::rename::{clashes, fields, free_name};

/// The schemas of a dataset, with what renames a field of each.
const SCHEMAS: [(&str, &str, &str); 2] = [
    ("sample_fields", "sample", "rename_sample_field"),
    ("frame_fields", "frame", "rename_frame_field"),
];

/// What can be done about a dataset that cannot go from `head` to `destination`; `reason` says why not.
pub fn remedies(
    document: &Document,
    (head, destination): (&Release, &Release),
    reason: &str,
) -> Vec<DatasetRemedy> {
    let name = document.text("name");
    let crosses = |numbers: [u64; 3]| {
        let border = Release::new(numbers);
        (*head < border) != (*destination < border)
    };
    let mut remedies = Vec::new();
    if destination > head && crosses([1, 0, 0]) && reason.contains("v1.0.0") {
        remedies.extend(renames(document));
    }
    if destination < head && reason.contains("v0.17.0") {
        remedies.push(of_groups(document));
    }
    if reason.contains("malformed") || reason.contains("cannot be read") {
        remedies.push(DatasetRemedy {
            text: "The doctor looks for damage and writes nothing; what it can mend it says."
                .to_owned(),
            command: Some("fiftyone-migrate doctor".to_owned()),
            tool: "the command line".to_owned(),
            rename: None,
        });
    }
    let loads = !name.is_empty();
    remedies.retain(|it| loads || it.tool != PYTHON);
    remedies
}

const PYTHON: &str = "Python";

/// A rename for each field that has a name which FiftyOne needs for itself.
fn renames(document: &Document) -> Vec<DatasetRemedy> {
    let mut remedies = Vec::new();
    for (schema, what, rename) in SCHEMAS {
        let fields: Vec<&Document> = fields(document, schema);
        for field in clashes(&fields) {
            let name = field.text("name");
            let free = free_name(&fields, name);
            let kind = field.text("ftype").rsplit('.').next().unwrap_or_default();
            remedies.push(DatasetRemedy {
                text: format!(
                    "Rename the {what} field `{name}`, a {kind}, to `{free}` here, or with a FiftyOne older than 1.0.0: it \
                     keeps its values. Then migrate again. Code and saved views that name the field have to be told its new \
                     name."
                ),
                command: Some(format!(
                    "import fiftyone as fo\n\ndataset = fo.load_dataset({})\ndataset.{rename}({}, {})",
                    quoted(document.text("name")),
                    quoted(name),
                    quoted(&free),
                )),
                tool: PYTHON.to_owned(),
                rename: Some(FieldRename {
                    field: if what == "frame" { format!("frames.{name}") } else { name.to_owned() },
                    to: free,
                }),
            });
        }
    }
    remedies
}

fn of_groups(document: &Document) -> DatasetRemedy {
    let slices: Vec<&String> = document
        .get_document("group_media_types")
        .map(|it| it.keys().collect())
        .unwrap_or_default();
    let named = slices.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    let slice = slices.first().map_or("SLICE", |it| it.as_str());
    let (name, has) = (document.text("name"), if named.is_empty() { "none" } else { &named });
    DatasetRemedy {
        text: format!(
            "Clone each slice that is needed in the old version into a dataset of its own, and migrate those. Its slices: \
             {has}."
        ),
        command: Some(format!(
            "import fiftyone as fo\n\ndataset = fo.load_dataset({})\ndataset.select_group_slices({}).clone({}, persistent=True)",
            quoted(name),
            quoted(slice),
            quoted(&format!("{name}-{slice}")),
        )),
        tool: PYTHON.to_owned(),
        rename: None,
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn release(text: &str) -> Release {
        text.parse().unwrap()
    }

    #[test]
    fn a_field_whose_name_fiftyone_needs_is_renamed_to_one_that_is_free() {
        let field = |name: &str, kind: &str| doc! { "name": name, "ftype": format!("fiftyone.core.fields.{kind}") };
        let document = doc! {
            "name": "a \"b\"",
            "sample_fields": [field("created_at", "StringField"), field("created_at_own", "IntField"), field("last_modified_at", "DateTimeField")],
            "frame_fields": [field("last_modified_at", "IntField")],
        };
        let way = (&release("0.25.2"), &release("1.22.1"));
        let found =
            remedies(&document, way, "cannot cross v1.0.0: its field `created_at` is of type ..");
        let commands: Vec<&str> = found.iter().filter_map(|it| it.command.as_deref()).collect();
        assert_eq!(commands.len(), 2);
        assert!(commands[0].contains(r#"fo.load_dataset("a \"b\"")"#), "{}", commands[0]);
        assert!(
            commands[0]
                .ends_with(r#"dataset.rename_sample_field("created_at", "created_at_own_2")"#)
        );
        assert!(commands[1].ends_with(
            r#"dataset.rename_frame_field("last_modified_at", "last_modified_at_own")"#
        ));
        let down = (&release("1.22.1"), &release("0.25.2"));
        assert_eq!(remedies(&document, down, "cannot cross v1.0.0").len(), 0);
    }

    #[test]
    fn a_grouped_dataset_is_cloned_slice_by_slice() {
        let document =
            doc! { "name": "rig", "group_media_types": { "left": "image", "right": "image" } };
        let way = (&release("1.22.1"), &release("0.16.0"));
        let found = remedies(&document, way, "cannot cross v0.17.0: it is grouped");
        assert!(found[0].text.ends_with("Its slices: `left`, `right`."), "{}", found[0].text);
        let command = found[0].command.as_deref().unwrap();
        assert!(
            command.ends_with(r#"select_group_slices("left").clone("rig-left", persistent=True)"#)
        );
    }
}
