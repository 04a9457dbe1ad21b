//! Finding the paths in one sample or frame.

use bson::{Bson, Document};

/// Where in a document there is a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// As the server addresses it: `ground_truth.detections.3.mask_path`.
    pub at: String,
    /// What stands there.
    pub path: &'a str,
}

/// Every path that these keys lead to, through as many lists as there are. What is no text or empty is none.
pub fn paths<'a>(document: &'a Document, keys: &[String]) -> Vec<Place<'a>> {
    let mut found = Vec::new();
    if let Some((first, rest)) = keys.split_first()
        && let Some(value) = document.get(first)
    {
        below(value, first.clone(), rest, &mut found);
    }
    found
}

fn below<'a>(value: &'a Bson, at: String, keys: &[String], found: &mut Vec<Place<'a>>) {
    match (value, keys.split_first()) {
        (Bson::Array(items), _) => {
            for (index, item) in items.iter().enumerate() {
                below(item, format!("{at}.{index}"), keys, found);
            }
        }
        (Bson::Document(inner), Some((key, rest))) => {
            if let Some(value) = inner.get(key) {
                below(value, format!("{at}.{key}"), rest, found);
            }
        }
        (Bson::String(path), None) if !path.is_empty() => found.push(Place { at, path }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn found(document: &Document, path: &str) -> Vec<(String, String)> {
        let keys: Vec<String> = path.split('.').map(str::to_owned).collect();
        paths(document, &keys).into_iter().map(|it| (it.at, it.path.to_owned())).collect()
    }

    #[test]
    fn paths_are_found_through_lists_and_with_their_place() {
        let sample = doc! {
            "filepath": "/a.png", "thumbs": ["/1.png", null, "", "/2.png"],
            "gt": { "detections": [{ "mask_path": "/m.png" }, {}, { "mask_path": 7 }, { "mask_path": "/n.png" }] },
        };
        assert_eq!(found(&sample, "filepath"), [("filepath".into(), "/a.png".into())]);
        let thumbs = found(&sample, "thumbs");
        assert_eq!(
            thumbs.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(),
            ["thumbs.0", "thumbs.3"]
        );
        let masks = found(&sample, "gt.detections.mask_path");
        assert_eq!(masks[1], ("gt.detections.3.mask_path".into(), "/n.png".into()));
        assert_eq!(masks.len(), 2);
    }

    #[test]
    fn what_is_not_there_or_no_text_is_no_path() {
        for other in
            [doc! {}, doc! { "a": null }, doc! { "a": { "b": { "c": "x" } } }, doc! { "a": "x" }]
        {
            assert_eq!(found(&other, "a.b"), []);
        }
        assert_eq!(paths(&doc! { "": "x" }, &[]), []);
    }
}
