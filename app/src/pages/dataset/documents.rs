//! The documents of a dataset before and after, field by field.

use leptos::prelude::*;
use model::{DocumentChange, DocumentFate, WayOfDataset, words};

use super::tree::{Anchors, tree};

/// How many documents are open from the beginning.
const OPEN: usize = 6;

/// Each document with what is another in it; changes are linked one after the other.
#[component]
pub fn Documents(way: WayOfDataset, id: String, destination: String) -> impl IntoView {
    let WayOfDataset { documents, left, .. } = way;
    let count = documents.iter().map(|it| it.changes).sum::<u64>();
    let changed = documents.iter().filter(|it| it.fate != DocumentFate::Stays).count();
    let changed = u64::try_from(changed).unwrap_or(u64::MAX);
    let mut anchors = Anchors::of(&documents);
    let first = (anchors.all() > 0).then(|| {
        view! {
            <a href="#change-1">"First change"</a>
        }
    });
    let mut open = OPEN;
    let shown: Vec<_> = documents
        .into_iter()
        .map(|it| {
            let opens = it.fate != DocumentFate::Stays && open > 0;
            open = open.saturating_sub(usize::from(opens));
            document(it, opens, &mut anchors)
        })
        .collect();
    let left = left.into_iter().map(|it| view! { <li>{it}</li> });
    let address = format!("/api/datasets/{id}/documents?to={destination}");
    view! {
        <section class="card" aria-labelledby="documents">
            <h2 id="documents">"Before and after"</h2>
            <div class="documents-head">
                <p>
                    {format!(
                        "{} in {}.",
                        words::counted(count, "change"),
                        words::counted(changed, "document"),
                    )}
                </p>
                {first}
                <a href=address rel="external" download="">
                    "Download all as JSON"
                </a>
                <ul class="muted">{left.collect_view()}</ul>
            </div>
            {shown}
        </section>
    }
}

fn document(it: DocumentChange, opens: bool, anchors: &mut Anchors) -> AnyView {
    let DocumentChange { title, collection, fate, diff, changes, before, after } = it;
    let counted = match fate {
        DocumentFate::Stays => "nothing changes".to_owned(),
        _ => words::counted(changes, "change"),
    };
    let tree = match fate {
        DocumentFate::Stays => None,
        _ => Some(tree(diff, anchors)),
    };
    view! {
        <details class="document" open=opens>
            <summary>
                <span class="document-title">{title.clone()}</span>
                <span class="badge" data-fate=fate.name()>
                    {fate.word()}
                </span>
                <span class="muted">{format!("{counted}, in {collection}")}</span>
            </summary>
            {tree}
            <details class="as-json">
                <summary>{format!("{title} as JSON")}</summary>
                <div class="sides">
                    {side(&title, "before", before, fate != DocumentFate::Added)}
                    {side(&title, "after", after, fate != DocumentFate::Removed)}
                </div>
            </details>
        </details>
    }
    .into_any()
}

/// One side, to be copied: a field in which everything can be marked by a key.
fn side(title: &str, which: &'static str, json: Option<String>, is_there: bool) -> AnyView {
    let label = format!("{title}, {which}");
    let Some(json) = json else {
        let why =
            if is_there { "Too large for a page; download it instead." } else { "There is none." };
        return view! { <p class="side muted">{format!("{}: {why}", capital(which))}</p> }
            .into_any();
    };
    view! {
        <label class="side">
            {capital(which)}
            <textarea class="json" readonly rows="12" spellcheck="false" aria-label=label>
                {json}
            </textarea>
        </label>
    }
    .into_any()
}

fn capital(which: &'static str) -> &'static str {
    if which == "before" { "Before" } else { "After" }
}
