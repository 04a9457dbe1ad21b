//! What the server tells of a run while somebody looks at it: a stream of events, and asking again where there is none.

use leptos::prelude::*;
use model::RunFrame;

/// How the page hears of news.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only the browser hears of news"))]
pub enum Link {
    /// The server tells it, or will as soon as it can.
    Live,
    /// The server cannot look itself now, for this reason.
    Trouble(String),
    /// The run rests, and the server has said so.
    Rested,
    /// The server tells nothing any more.
    Lost,
}

/// Follows a run until the page is left. Only the browser does.
///
/// `again` counts how often it was begun: it begins anew when that changes.
pub fn follow(
    id: String,
    again: ReadSignal<u32>,
    told: impl Fn(RunFrame) + Clone + Send + Sync + 'static,
    link: WriteSignal<Link>,
) {
    Effect::new(move || {
        again.track();
        #[cfg(feature = "hydrate")]
        browser::follow(&id, told.clone(), link);
        #[cfg(not(feature = "hydrate"))]
        let _: (&String, &_, _) = (&id, &told, link);
    });
}

/// Calls this every half a second until the page is left, with the milliseconds since the browser was first asked. Only
/// the browser does.
pub fn each_half_second(call: impl Fn(u64) + Clone + Send + Sync + 'static) {
    Effect::new(move || {
        #[cfg(feature = "hydrate")]
        browser::each_half_second(call.clone());
        #[cfg(not(feature = "hydrate"))]
        let _: &_ = &call;
    });
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::time::Duration;

    use futures_util::{
        FutureExt, StreamExt,
        future::{AbortHandle, abortable},
        stream::select,
    };
    use gloo_net::eventsource::futures::EventSource;
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use model::RunFrame;

    use super::Link;

    pub fn follow(id: &str, told: impl Fn(RunFrame) + 'static, link: WriteSignal<Link>) {
        let url = format!("/api/runs/{id}/events");
        let (following, handle): (_, AbortHandle) = abortable(async move {
            let ended = listen(&url, told, link).await.unwrap_or(Link::Lost);
            link.try_set(ended);
        });
        // The stream is closed when it is dropped.
        on_cleanup(move || handle.abort());
        // Whether it was cut short is nobody's business any more.
        spawn_local(following.map(|_| ()));
    }

    /// How it ended; `None` if it could not even begin. The browser connects again by itself where it was cut off.
    async fn listen(url: &str, told: impl Fn(RunFrame), link: WriteSignal<Link>) -> Option<Link> {
        let mut source = EventSource::new(url).ok()?;
        let frames = source.subscribe("message").ok()?;
        let trouble = source.subscribe("trouble").ok()?;
        let end = source.subscribe("end").ok()?;
        let mut events = select(frames, select(trouble, end));
        link.try_set(Link::Live);
        while let Some(Ok((kind, event))) = events.next().await {
            let text = event.data().as_string().unwrap_or_default();
            match kind.as_str() {
                "end" => return Some(Link::Rested),
                "trouble" => drop(link.try_set(Link::Trouble(text))),
                // The server sends two in a second at most: none of them is too many to draw.
                _ => {
                    if let Ok(frame) = serde_json::from_str(&text) {
                        link.try_set(Link::Live);
                        told(frame);
                    }
                }
            }
        }
        Some(Link::Lost)
    }

    pub fn each_half_second(call: impl Fn(u64) + 'static) {
        let begun = js_sys::Date::now();
        let tick = move || {
            // A clock that was set back is no time that has passed.
            let passed = (js_sys::Date::now() - begun).max(0.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole, and not negative"
            )]
            call(passed as u64);
        };
        if let Ok(handle) = set_interval_with_handle(tick, Duration::from_millis(500)) {
            on_cleanup(move || handle.clear());
        }
    }
}
