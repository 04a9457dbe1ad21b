//! A command that can be copied.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::{JsCast, JsValue};
use leptos::web_sys::js_sys::{Function, Promise, Reflect};
use wasm_bindgen_futures::JsFuture;

/// What to type, and a button that copies it. Without scripts the button is not there, and people mark the text.
#[component]
pub fn Command(
    /// What it is a command for, for those who hear the button and not what stands beside it.
    name: &'static str,
    #[prop(into)] text: Signal<String>,
) -> impl IntoView {
    let copied = RwSignal::new(None::<Result<String, ()>>);
    let copy = move |_| {
        let text = text.get_untracked();
        spawn_local(async move {
            let outcome = write_to_clipboard(&text).await;
            copied.set(Some(outcome.map(|()| text).map_err(drop)));
        });
    };
    // What was copied before the command changed is another one.
    let said = move || match copied.get() {
        Some(Ok(before)) if before == text.get() => "Copied",
        Some(Err(())) => "The browser does not allow it: mark the text and copy it",
        Some(Ok(_)) | None => "",
    };
    view! {
        <div class="command">
            <pre>
                <code>{text}</code>
            </pre>
            <span class="command-state live-only" role="status">
                {said}
            </span>
            <button
                class="button live-only"
                type="button"
                aria-label=format!("Copy for {name}")
                on:click=copy
            >
                "Copy"
            </button>
        </div>
    }
}

/// Fails where the browser has no clipboard for this page, as on an address that is not secure, or somebody forbids it.
async fn write_to_clipboard(text: &str) -> Result<(), JsValue> {
    // By name: the type of the clipboard alone would make the wasm's bindings larger for every page.
    let navigator = Reflect::get(&window(), &"navigator".into())?;
    let clipboard = Reflect::get(&navigator, &"clipboard".into())?;
    let write: Function = Reflect::get(&clipboard, &"writeText".into())?.dyn_into()?;
    let written: Promise = write.call1(&clipboard, &text.into())?.dyn_into()?;
    JsFuture::from(written).await.map(drop)
}
