//! Rights that were given, and forms to give one and to take one back.

use leptos::prelude::*;
use model::{DatasetRights, Grant, Grantee, Right};

use crate::api::{GiveRight, TakeRight, form};
use crate::components::{Cell, Head, Row, Table, When};

/// Whose page rights are shown on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// That of somebody.
    Grantee(Grantee),
    /// That of a dataset.
    Dataset,
}

const COLUMNS: [&str; 6] = ["Dataset", "To whom", "May", "Given by", "When", "What you can do"];

/// A table of rights.
#[component]
pub fn Grants(grants: Vec<Grant>, of: Of) -> impl IntoView {
    if grants.is_empty() {
        return view! { <p class="muted">"None was given."</p> }.into_any();
    }
    let rows = grants.into_iter().map(move |it| view! { <OneGrant it of=of.clone() /> }.into_any());
    view! {
        <Table caption="Rights to datasets" columns=&COLUMNS>
            {rows.collect_view()}
        </Table>
    }
    .into_any()
}

#[component]
fn OneGrant(it: Grant, of: Of) -> impl IntoView {
    let [_, whom, may, by, when, action] = COLUMNS;
    let Grant { to, name, dataset, label, right, by: giver, at } = it;
    let shown = match (&dataset, label) {
        (Some(id), Some(label)) => {
            let to = DatasetRights::address(id);
            view! {
                <a href=to rel="external">
                    {label}
                </a>
            }
            .into_any()
        }
        (Some(id), None) => format!("{id}, which is gone").into_any(),
        (None, _) => "all of which nothing else is said".into_any(),
    };
    let address = to.address();
    let group = matches!(to, Grantee::Group(_)).then_some("group ");
    let (of_dataset, page_of) = match of {
        Of::Dataset => (true, String::new()),
        Of::Grantee(it) => (false, it.to_string()),
    };
    // On a page of a dataset, what is said of all is changed elsewhere: nobody comes back here from that.
    view! {
        <Row>
            <Head>{shown}</Head>
            <Cell of=whom>
                {group} <a href=address rel="external">
                    {name}
                </a>
            </Cell>
            <Cell of=may>{right.map_or("nothing", Right::word)}</Cell>
            <Cell of=by>{giver}</Cell>
            <Cell of=when>
                <When time=at />
            </Cell>
            <Cell of=action>
                <form method="post" action={form::address::<TakeRight>()}>
                    <input type="hidden" name="to" value=to.to_string() />
                    <input type="hidden" name="dataset" value=dataset.unwrap_or_default() />
                    <input type="hidden" name="of_dataset" value=of_dataset.to_string() />
                    <input type="hidden" name="page_of" value=page_of />
                    <button class="button">"Take back"</button>
                </form>
            </Cell>
        </Row>
    }
}

/// A form by which somebody is given a right to a dataset that is named.
#[component]
pub fn GiveTo(to: Grantee) -> impl IntoView {
    let members = to == Grantee::Members;
    let hint = if members {
        "Its name or its id. Without one: all datasets of which nothing else is said."
    } else {
        "Its name or its id."
    };
    view! {
        <form class="form" method="post" action={form::address::<GiveRight>()}>
            <input type="hidden" name="to" value=to.to_string() />
            <div class="field">
                <label for="dataset">"Dataset"</label>
                <input
                    id="dataset"
                    name="dataset"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    required=!members
                    aria-describedby="dataset-hint"
                />
                <small class="field-hint" id="dataset-hint">
                    {hint}
                </small>
            </div>
            <May nothing=members />
            <div class="actions">
                <button class="button button-main">"Give this right"</button>
            </div>
        </form>
    }
}

/// What may be given. `nothing`: also that they may do nothing.
#[component]
pub fn May(nothing: bool) -> impl IntoView {
    let options = Right::ALL.map(|it| {
        view! { <option value=it.word()>{format!("{it}: {}", it.about())}</option> }
    });
    let none = nothing.then(|| {
        view! { <option value="none">"nothing: it does not exist for them"</option> }
    });
    view! {
        <div class="field">
            <label for="right">"What they may do"</label>
            <select id="right" name="right">
                {options.collect_view()}
                {none}
            </select>
        </div>
    }
}
