//! Copying commands, and putting a token into them that never leaves the page.

#[cfg(not(feature = "ssr"))]
use leptos::prelude::*;

/// Listens for as long as the page is there.
pub fn listen() {
    #[cfg(not(feature = "ssr"))]
    Effect::new(|_| {
        let clicks = window_event_listener(leptos::ev::click, |event| {
            browser::clicked(event.target());
        });
        let typing = window_event_listener(leptos::ev::input, |event| {
            browser::typed(event.target());
        });
        on_cleanup(move || {
            clicks.remove();
            typing.remove();
        });
    });
}

#[cfg(not(feature = "ssr"))]
mod browser {
    //! What clicks and letters do to the page.

    use leptos::prelude::{document, window};
    use leptos::task::spawn_local;
    use leptos::wasm_bindgen::{JsCast, JsValue};
    use leptos::web_sys::js_sys::{Function, Promise, Reflect};
    use leptos::web_sys::{Element, EventTarget, HtmlInputElement};
    use model::sdk;
    use wasm_bindgen_futures::JsFuture;

    /// Copies the command whose button it was, or shows the token.
    pub fn clicked(target: Option<EventTarget>) -> Option<()> {
        let button = target?.dyn_into::<Element>().ok()?.closest("button").ok()??;
        if button.has_attribute("data-copy") {
            let command = button.parent_element()?;
            let code = command.query_selector("code").ok()??.text_content()?;
            let state = command.query_selector("[role=status]").ok()??;
            state.set_text_content(None);
            spawn_local(async move {
                let said = match write_to_clipboard(&code).await {
                    Ok(()) => "Copied",
                    Err(_) => "The browser does not allow it: mark the text and copy it",
                };
                state.set_text_content(Some(said));
            });
        } else if button.get_attribute("aria-controls")? == "token" {
            let hidden = token()?.type_() == "password";
            token()?.set_type(if hidden { "text" } else { "password" });
            button.set_attribute("aria-pressed", if hidden { "true" } else { "false" }).ok()?;
        }
        Some(())
    }

    /// Puts the token into all commands. What was copied before is another one.
    pub fn typed(target: Option<EventTarget>) -> Option<()> {
        let field = target?.dyn_into::<HtmlInputElement>().ok().filter(|it| it.id() == "token")?;
        let mut next = document().query_selector(".command").ok()?;
        while let Some(command) = next {
            if let Some(code) = command.query_selector("code").ok()? {
                let text = sdk::with_token(&code.get_attribute("data-command")?, &field.value());
                code.set_text_content(Some(&text));
                command.query_selector("[role=status]").ok()??.set_text_content(None);
            }
            next = command.next_element_sibling();
        }
        Some(())
    }

    fn token() -> Option<HtmlInputElement> {
        document().get_element_by_id("token")?.dyn_into().ok()
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
}
