//! Which datasets depend on no other: any server can migrate them at any time, and what comes out is the same.
//!
//! Names that clash are resolved in the order of the names, and what two datasets have in common must not be changed from
//! two sides. These stay with whoever leads, who does them one after the other as a server does that is alone.

use std::collections::{BTreeSet, HashMap};

use bson::{Bson, DateTime};
use revisions::{Read, name_in_urls};

use crate::{load::Task, store::Tie};

/// Something that two datasets may have in common.
type Part = (&'static str, String);

/// The texts of the `_id`s of those tasks that depend on no other dataset, in a run that began `now`.
pub fn untied<'a>(
    tasks: impl IntoIterator<Item = &'a Task>,
    listed: &[Tie],
    named: DateTime,
) -> BTreeSet<String> {
    let mut users: HashMap<Part, usize> = HashMap::new();
    for part in listed.iter().flat_map(|it| parts(it, named)) {
        *users.entry(part).or_default() += 1;
    }
    let known: HashMap<String, &Tie> = listed.iter().map(|it| (key(&it.id), it)).collect();
    let is_alone = |task: &&Task| {
        // One that is not listed is deleted by now, or an old id: nothing is known of it.
        let Some(tie) = known.get(&key(&task.entry.id)) else { return false };
        let gets_name = task.reads(Read::Names) && tie.slug.is_none();
        if gets_name && future(tie, named).is_none() {
            return false;
        }
        let mut parts = parts(tie, named).into_iter();
        parts.all(|it| users[&it] == 1 || (!gets_name && matches!(it.0, "name" | "slug")))
    };
    tasks.into_iter().filter(is_alone).map(|it| it.entry.id_text()).collect()
}

/// Everything that another dataset may have as well.
fn parts(tie: &Tie, named: DateTime) -> BTreeSet<Part> {
    let text = |it: &Option<Bson>| it.as_ref().and_then(Bson::as_str).map(str::to_owned);
    let mut parts = BTreeSet::new();
    parts.extend(text(&tie.name).map(|it| ("name", it)));
    parts.extend(text(&tie.slug).or_else(|| future(tie, named)).map(|it| ("slug", it)));
    for it in tie.collections.iter().filter_map(Bson::as_str).filter(|it| !it.is_empty()) {
        parts.insert(("collection", it.to_owned()));
        // Datasets from before 0.14 do not name their frames.
        parts.insert(("collection", format!("frames.{it}")));
    }
    parts.extend(tie.parts.iter().map(|it| ("part", key(it))));
    parts
}

/// What it will be called in URLs.
fn future(tie: &Tie, named: DateTime) -> Option<String> {
    name_in_urls(tie.name.as_ref()?, named)
}

fn key(id: &Bson) -> String {
    format!("{id:?}")
}

#[cfg(test)]
mod tests {
    use bson::oid::ObjectId;

    use super::*;
    use crate::store::Entry;

    const NOW: DateTime = DateTime::from_millis(1_700_000_000_000);

    fn dataset(name: &str) -> Tie {
        let id = ObjectId::new();
        let collections =
            vec![format!("samples.{id}").into(), format!("frames.samples.{id}").into()];
        Tie { id: id.into(), name: Some(name.into()), collections, ..Tie::default() }
    }

    fn task(of: &Tie, from: &str) -> Task {
        let name = of.name.as_ref().and_then(Bson::as_str).map(str::to_owned);
        let entry = Entry { id: of.id.clone(), name, version: from.into(), bytes: 0 };
        Task { entry, head: from.parse().ok(), destination: "1.0.0".parse().unwrap() }
    }

    /// Which of these stand alone, by their place.
    fn alone(listed: &[Tie], from: &str) -> Vec<usize> {
        let tasks: Vec<Task> = listed.iter().map(|it| task(it, from)).collect();
        let found = untied(&tasks, listed, NOW);
        (0..tasks.len()).filter(|at| found.contains(&tasks[*at].entry.id_text())).collect()
    }

    #[test]
    fn datasets_with_nothing_in_common_stand_alone() {
        assert_eq!(alone(&[dataset("a"), dataset("b"), dataset("c")], "0.18.0"), [0, 1, 2]);
    }

    #[test]
    fn names_that_clash_in_urls_tie_datasets_together_where_they_get_one() {
        let listed = [dataset("a b"), dataset("A-b"), dataset("c")];
        assert_eq!(alone(&listed, "0.18.0"), [2]);
        // They have theirs already, or go where there is none.
        assert_eq!(alone(&listed, "0.19.0"), [0, 1, 2]);
        let taken = Tie { slug: Some("c".into()), ..dataset("another") };
        assert_eq!(alone(&[dataset("c"), taken], "0.18.0"), [1]);
    }

    #[test]
    fn what_gets_a_name_from_the_time_is_tied_to_all_that_may_get_the_same() {
        let unnamed = Tie { name: None, ..dataset("") };
        let odd = dataset("???");
        let timely = dataset("2023.11.14.22.13.20");
        assert_eq!(alone(&[unnamed, odd, timely, dataset("x")], "0.18.0"), [3]);
    }

    #[test]
    fn what_two_datasets_share_ties_them_together_wherever_they_go() {
        let run = ObjectId::new();
        let with_run = || Tie { parts: vec![run.into()], ..dataset(&ObjectId::new().to_hex()) };
        assert_eq!(alone(&[with_run(), with_run(), dataset("x")], "0.19.0"), [2]);
        let samples = dataset("one");
        let view = Tie { collections: samples.collections.clone(), ..dataset("two") };
        assert_eq!(alone(&[samples, view, dataset("x")], "0.23.0"), [2]);
        // Frames that are named by one and only meant by the other.
        let old = Tie { collections: vec!["s".into()], ..dataset("old") };
        let new = Tie { collections: vec!["t".into(), "frames.s".into()], ..dataset("new") };
        assert!(alone(&[old, new], "0.13.0").is_empty());
    }
}
