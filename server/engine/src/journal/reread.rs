//! What a document is that is read again: as it was before the run, or what the run has committed.

use bson::{Bson, Document, RawDocument, RawDocumentBuf};

use super::{differing, entry_id, print, prints};
use crate::store::{Failure, Kind, bytes, document};

/// The key that every way across a revision changes, and no edit.
const VERSION: &str = "version";

/// A dataset document, to what the journal has of it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reread {
    /// The run has not committed it: it is what it was, whoever has edited that.
    Before,
    /// It is what the run has committed.
    Committed,
    /// It is that, and somebody has edited it since.
    Edited,
}

impl Reread {
    /// What is read to what these entries have of it.
    pub fn of(entries: &[Document], read: &RawDocument) -> Self {
        let known = entries.iter().find(|it| Kind::Dataset.is_of(it));
        let Some(after) = known.and_then(|it| it.get_document("after").ok()) else {
            return Self::Before;
        };
        let now = differing(after, read);
        if now.is_empty() {
            return Self::Committed;
        }
        let Ok(original) = original(entries) else { return Self::Before };
        let changed = differing(after, &original);
        let is_after = |key: &String| !now.contains(key);
        // Where the run crosses nothing, and only gives back what the archive had, any of that tells it.
        let committed = match changed.iter().find(|it| *it == VERSION) {
            Some(version) => is_after(version),
            None => changed.iter().any(is_after),
        };
        if committed { Self::Edited } else { Self::Before }
    }

    /// The same of a document of the runs, and the entry about it: it is written before the dataset is committed, and has no
    /// version that would tell. Where somebody has changed the very keys that the run changes, it counts as edited since.
    pub fn of_run(entry: Option<&Document>, read: &RawDocument) -> Self {
        let Some(entry) = entry else { return Self::Before };
        if is_after(entry, read) {
            return Self::Committed;
        }
        let Ok(after) = entry.get_document("after") else { return Self::Before };
        let Ok(original) = document(entry) else { return Self::Before };
        let changed = differing(after, &original);
        let since = differing(&prints(&original), read);
        if changed.iter().any(|it| since.contains(it)) { Self::Edited } else { Self::Before }
    }

    /// Whether the original is not what is read, but what was kept of it before.
    pub fn is_committed(self) -> bool {
        self != Self::Before
    }
}

/// Whether a document is what the run of this entry has made of it.
pub fn is_after(entry: &Document, now: &RawDocument) -> bool {
    match entry.get("after") {
        Some(Bson::Document(after)) => differing(after, now).is_empty(),
        // As it was kept by the first builds.
        after => after == Some(&print(now.as_bytes())),
    }
}

/// The dataset document that these entries keep.
///
/// # Errors
///
/// If they keep none, or what cannot be read.
pub fn original(entries: &[Document]) -> Result<RawDocumentBuf, Failure> {
    let find = |kind: Kind| entries.iter().filter(move |it| kind.is_of(it));
    let unreadable = |it: &str| Failure::other(format!("the undo journal cannot be read: {it}"));
    let entry = find(Kind::Dataset).next().ok_or_else(|| unreadable("it has no such dataset"))?;
    let mut whole = bytes(entry, "bytes");
    let mut parts: Vec<&Document> = find(Kind::Part).collect();
    parts.sort_by_key(|it| entry_id(it).and_then(Bson::as_i32));
    let count = usize::try_from(entry.get_i32("parts").unwrap_or_default()).unwrap_or_default();
    parts.into_iter().take(count).for_each(|it| whole.extend(bytes(it, "bytes")));
    RawDocumentBuf::from_bytes(whole).map_err(|it| unreadable(&it.to_string()))
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;
    use crate::store::binary;

    fn reread(original: Document, after: Document, read: Document) -> Reread {
        let raw = |it: Document| RawDocumentBuf::try_from(&it).unwrap();
        let entry = doc! {
            "kind": "dataset", "bytes": binary(raw(original).as_bytes()), "parts": 0,
            "after": prints(&raw(after)),
        };
        Reread::of(&[entry], &raw(read))
    }

    #[test]
    fn what_was_committed_is_told_from_what_was_there_before_whoever_has_edited_it() {
        let original = doc! { "version": "1", "a": 1, "info": 1 };
        let after = doc! { "version": "2", "b": 1, "info": 1 };
        let of = |read: Document| reread(original.clone(), after.clone(), read);
        assert_eq!(of(original.clone()), Reread::Before);
        assert_eq!(of(after.clone()), Reread::Committed);
        assert_eq!(of(doc! { "version": "1", "a": 1, "info": 2 }), Reread::Before);
        assert_eq!(of(doc! { "version": "2", "b": 1, "info": 2 }), Reread::Edited);
        // An older client has written some of it back.
        assert_eq!(of(doc! { "version": "1", "b": 1, "info": 1 }), Reread::Before);
    }

    #[test]
    fn what_was_only_given_back_is_told_by_that() {
        let original = doc! { "version": "2", "tags": [], "info": 1 };
        let after = doc! { "version": "2", "tags": ["a"], "info": 1 };
        let of = |read: Document| reread(original.clone(), after.clone(), read);
        assert_eq!(of(doc! { "version": "2", "tags": [], "info": 2 }), Reread::Before);
        assert_eq!(of(doc! { "version": "2", "tags": ["a"], "info": 2 }), Reread::Edited);
        assert_eq!(of(after.clone()), Reread::Committed);
    }

    #[test]
    fn a_run_that_was_edited_is_told_by_the_keys_that_are_changed() {
        let raw = |it: &Document| RawDocumentBuf::try_from(it).unwrap();
        let original = doc! { "key": "a", "config": { "cls": "old" }, "view": 1 };
        let after = doc! { "key": "a", "config": { "cls": "new" }, "view": 1 };
        let kept = binary(raw(&original).as_bytes());
        let entry = doc! { "kind": "run", "bytes": kept, "after": prints(&raw(&after)) };
        let of = |read: &Document| Reread::of_run(Some(&entry), &raw(read));
        assert_eq!(Reread::of_run(None, &raw(&after)), Reread::Before);
        assert_eq!(of(&original), Reread::Before);
        assert_eq!(of(&after), Reread::Committed);
        let edited = |config: &str| doc! { "key": "a", "config": { "cls": config }, "view": 2 };
        assert_eq!(of(&edited("old")), Reread::Before);
        assert_eq!(of(&edited("new")), Reread::Edited);
        assert_eq!(of(&edited("mine")), Reread::Edited);
    }

    #[test]
    fn of_what_is_read_for_the_first_time_nothing_is_known() {
        let read = RawDocumentBuf::try_from(&doc! { "version": "1" }).unwrap();
        assert_eq!(Reread::of(&[], &read), Reread::Before);
    }
}
