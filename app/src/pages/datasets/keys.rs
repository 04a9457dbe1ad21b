//! Keys for the list of datasets; where there are no scripts, the browser's own go everywhere as well.

#[cfg(not(feature = "ssr"))]
use leptos::prelude::*;

/// Listens for as long as the page is there.
pub fn listen() {
    #[cfg(not(feature = "ssr"))]
    Effect::new(|_| {
        let listening = window_event_listener(leptos::ev::keydown, |event| {
            browser::pressed(&event);
        });
        on_cleanup(move || listening.remove());
    });
}

/// What each key does, as the page tells it.
#[cfg(feature = "ssr")]
pub const KEYS: [(&str, &str); 6] = [
    ("j", "to the next dataset"),
    ("k", "to the dataset before"),
    ("x", "check it, or not any more"),
    ("Enter", "open it"),
    ("/", "search by name"),
    ("?", "show or hide these keys"),
];

#[cfg(not(feature = "ssr"))]
mod browser {
    //! What keys do to the page.

    use leptos::prelude::document;
    use leptos::wasm_bindgen::JsCast;
    use leptos::web_sys::{Element, HtmlElement, KeyboardEvent};

    /// Where keys are text.
    const TYPING: &str = "input:not([type=checkbox]),select,textarea";

    /// The box of a dataset. The one that has the focus is where one is.
    const BOX: &str = "input[type=checkbox]";

    /// Does what a key is for; `None` if it is for nothing here.
    pub fn pressed(event: &KeyboardEvent) -> Option<()> {
        let page = document();
        let focused = page.active_element()?;
        let elsewhere = event.ctrl_key() || event.alt_key() || event.meta_key();
        if elsewhere || focused.matches(TYPING).ok()? {
            return None;
        }
        let row = focused.closest("tr").ok()?;
        match event.key().as_str() {
            "j" => match row {
                Some(row) => at(&row.next_element_sibling()?, BOX)?.focus().ok()?,
                None => at(&page.document_element()?, BOX)?.focus().ok()?,
            },
            "k" => at(&row?.previous_element_sibling()?, BOX)?.focus().ok()?,
            "x" => at(&row?, BOX)?.click(),
            // By itself it would send the form.
            "Enter" if focused.matches(BOX).ok()? => at(&row?, "a")?.click(),
            "/" => at(&page.document_element()?, "#q")?.focus().ok()?,
            "?" => at(&page.document_element()?, ".keys > summary")?.click(),
            _ => return None,
        }
        event.prevent_default();
        Some(())
    }

    fn at(place: &Element, selector: &str) -> Option<HtmlElement> {
        place.query_selector(selector).ok()??.dyn_into().ok()
    }
}
