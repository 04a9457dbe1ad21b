//! What a dataset is, and where.

use leptos::prelude::*;
use model::{DatasetCollection, DatasetRights, DatasetView, UploadQuestion, words};

/// Its versions and its collections.
#[component]
pub fn Facts(page: DatasetView) -> impl IntoView {
    let DatasetView { id, may_share, version, head, database, media_type, collections, .. } = page;
    let at = match (version, &head) {
        (Some(version), _) => version,
        (None, Some(head)) => format!("none in its document; its content is that of {head}"),
        (None, None) => "unknown".to_owned(),
    };
    let database = database.unwrap_or_else(|| "none yet".to_owned());
    let media = media_type.unwrap_or_else(|| "none yet".to_owned());
    let mut facts =
        vec![("Version", at), ("Version of the database", database), ("Media type", media)];
    let share = may_share.then(|| {
        let address = DatasetRights::address(&id);
        let export = format!("/exports?dataset={id}");
        let media = UploadQuestion { dataset: id.clone(), ..UploadQuestion::default() }.address();
        view! {
            <p>
                <a href=address rel="external">
                    "Who may do what with it"
                </a>
            </p>
            <p>
                <a href=media rel="external">
                    "Take its media elsewhere"
                </a>
            </p>
            <p>
                <a href=export rel="external">
                    "Export it"
                </a>
            </p>
        }
    });
    facts.push(("Id", id));
    let facts = facts.into_iter().map(|(what, value)| view! { <Fact what value /> });
    let collections = collections.into_iter().map(|it| view! { <Collection it /> });
    view! {
        <section class="card" aria-labelledby="facts">
            <h2 id="facts">"This dataset"</h2>
            <dl>{facts.collect_view()} {collections.collect_view()}</dl>
            {share}
        </section>
    }
}

#[component]
fn Fact(what: &'static str, value: String) -> impl IntoView {
    view! {
        <div class="fact">
            <dt>{what}</dt>
            <dd>{value}</dd>
        </div>
    }
}

#[component]
fn Collection(it: DatasetCollection) -> impl IntoView {
    let DatasetCollection { what, name, documents } = it;
    let title = if what == "sample" { "Samples" } else { "Frames" };
    let counted = match documents {
        Some(count) => words::counted(count, &what),
        None => "the collection does not exist".to_owned(),
    };
    view! {
        <div class="fact">
            <dt>{title}</dt>
            <dd>{counted} <span class="fact-note">{format!("in {name}")}</span></dd>
        </div>
    }
}
