//! What there is to do, what it needs and how long it takes.

use leptos::prelude::*;
use model::words::{amount, bytes, count, counted};
use model::{Amount, Estimate};

/// The figures, as ranges where they are not known.
#[component]
pub fn EstimateFacts(estimate: Estimate, undo_days: u32) -> impl IntoView {
    let (seen, all) = estimate.counted;
    let judged =
        (seen < all).then(|| format!("Judging by {} of {} collections.", count(seen), count(all)));
    let documents =
        format!("{}, {}", amount(estimate.documents, count), amount(estimate.bytes, bytes));
    let journal = estimate.journal_bytes.filter(|it| it.most > 0);
    let undo = format!("It can be undone for {}.", counted(undo_days.into(), "day"));
    let disk = estimate.disk_bytes();
    view! {
        <section class="card" aria-labelledby="estimate">
            <h2 id="estimate">"What to expect"</h2>
            <dl class="facts">
                <Expected name="Time" value=estimate.time.to_string() note=Some(estimate.basis.to_string()) />
                <Expected name="Datasets" value=count(estimate.datasets) note=None />
                <Expected name="Samples and frames" value=documents note=judged />
                <Expected name="Undo journal" value=size(journal) note=Some(undo) />
                <Expected
                    name="Disk"
                    value=size(Some(disk).filter(|it| it.most > 0))
                    note=Some("More than now at most, before compression.".to_owned())
                />
                {estimate
                    .oplog_bytes
                    .map(|it| view! { <Expected name="Through the oplog" value=amount(it, bytes) note=None /> })}
            </dl>
        </section>
    }
}

fn size(it: Option<Amount>) -> String {
    it.map_or_else(|| "next to nothing".to_owned(), |it| amount(it, bytes))
}

#[component]
fn Expected(name: &'static str, value: String, note: Option<String>) -> impl IntoView {
    view! {
        <div class="fact">
            <dt>{name}</dt>
            <dd>
                <span class="number">{value}</span>
                {note.map(|it| view! { <small class="fact-note">{it}</small> })}
            </dd>
        </div>
    }
}
