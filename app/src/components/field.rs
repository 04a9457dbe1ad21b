//! A line of a form: what it asks for, and where to type it.

use leptos::prelude::*;

/// A labelled input. `hint` is read out together with the label.
#[component]
pub fn Field(
    /// The label.
    label: &'static str,
    /// What the server calls it; also the id.
    name: &'static str,
    /// The kind of input: `text`, `password`.
    #[prop(default = "text")]
    kind: &'static str,
    /// What the browser may fill in.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// What is in it at first.
    #[prop(optional, into)]
    value: String,
    /// One sentence below it.
    #[prop(optional)]
    hint: &'static str,
    /// Whether it may stay empty.
    #[prop(optional)]
    optional: bool,
) -> impl IntoView {
    let hint_id = format!("{name}-hint");
    let described = (!hint.is_empty()).then(|| hint_id.clone());
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                id=name
                name=name
                type=kind
                value=value
                autocomplete=autocomplete
                aria-describedby=described
                autocapitalize="none"
                spellcheck="false"
                required=!optional
            />
            {(!hint.is_empty()).then(|| view! { <small class="field-hint" id=hint_id>{hint}</small> })}
        </div>
    }
}
