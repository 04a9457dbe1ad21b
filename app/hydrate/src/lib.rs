//! What the browser runs: takes over the page that the server rendered.

// Views are types, and a page is a deep one.
#![recursion_limit = "256"]

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the wasm is there.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
    if let Some(root) = leptos::prelude::document().document_element() {
        // From here on buttons work in place; before, they load the page again.
        let marked = root.set_attribute("data-live", "true");
        debug_assert!(marked.is_ok(), "`data-live` is a valid name");
    }
}
