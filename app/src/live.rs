//! What the server tells of a run while somebody looks at it: a stream of events, and asking again where there is none.

use leptos::prelude::*;
use model::RunFrame;

/// How the page hears of news.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only the browser hears of news"))]
pub enum Link {
    /// It has just begun to listen.
    Connecting,
    /// The server tells it.
    Live,
    /// The server cannot look itself now, for this reason.
    Trouble(String),
    /// The run rests, and the server has said so.
    Rested,
    /// The server tells nothing, or nothing comes through; the page asks by itself.
    Lost,
    /// There is no answer either.
    Unreachable,
    /// The session has ended.
    SignedOut,
    /// The server speaks of things that this page does not know: it is a newer one.
    Outdated,
}

impl Link {
    /// Whether what is shown is as it is.
    pub const fn is_fresh(&self) -> bool {
        matches!(self, Self::Connecting | Self::Live | Self::Rested)
    }
}

/// Follows a run while `listens`, until the page is left. Only the browser does.
///
/// `again` counts how often it was begun: it begins anew when that changes.
pub fn follow(
    id: String,
    (again, listens): (ReadSignal<u32>, Memo<bool>),
    told: impl Fn(RunFrame) + Clone + Send + Sync + 'static,
    link: RwSignal<Link>,
) {
    Effect::new(move || {
        again.track();
        if !listens.get() {
            return;
        }
        #[cfg(feature = "hydrate")]
        browser::follow(&id, told.clone(), link);
        #[cfg(not(feature = "hydrate"))]
        let _: (&String, &_, _) = (&id, &told, link);
    });
}

/// Calls this every half a second until the page is left, with the milliseconds since the browser was first asked, and
/// whether anybody can see the page. Only the browser does.
pub fn each_half_second(call: impl Fn(u64, bool) + Clone + Send + Sync + 'static) {
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
        FutureExt, Stream, StreamExt,
        future::{AbortHandle, abortable},
        stream::select,
    };
    use gloo_net::eventsource::State;
    use gloo_net::eventsource::futures::EventSource;
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use leptos::web_sys::MessageEvent;
    use model::RunFrame;

    use super::Link;

    /// How long it may take to connect before the page asks by itself, in half seconds.
    const PATIENCE: u32 = 6;

    pub fn follow(id: &str, told: impl Fn(RunFrame) + 'static, link: RwSignal<Link>) {
        let source = EventSource::new(&format!("/api/runs/{id}/events")).ok();
        // The stream is closed when it is dropped.
        let source = StoredValue::new_local(source);
        let events = source.try_update_value(|it| it.as_mut().and_then(subscribed)).flatten();
        let Some(events) = events else { return link.set(Link::Lost) };
        link.set(Link::Connecting);
        let (following, handle): (_, AbortHandle) = abortable(async move {
            let ended = listen(events, told, link).await;
            source.try_set_value(None);
            link.try_set(ended);
        });
        on_cleanup(move || handle.abort());
        // Whether it was cut short is nobody's business any more.
        spawn_local(following.map(|_| ()));
        // The browser connects again by itself where it was cut off, and tells nobody.
        let waited = StoredValue::new(0_u32);
        every_half_second(move || {
            let state = source.try_with_value(|it| it.as_ref().map(EventSource::state)).flatten();
            let waits = state == Some(State::Connecting);
            waited.set_value(if waits { waited.get_value() + 1 } else { 0 });
            let now = link.get_untracked();
            match state {
                Some(State::Open)
                    if matches!(now, Link::Connecting | Link::Lost | Link::Unreachable) =>
                {
                    link.set(Link::Live);
                }
                Some(State::Connecting) if now == Link::Live || waited.get_value() == PATIENCE => {
                    link.set(Link::Lost);
                }
                _ => {}
            }
        });
    }

    /// What comes: its kind and its text.
    fn subscribed(
        source: &mut EventSource,
    ) -> Option<impl Stream<Item = Option<(String, String)>> + use<>> {
        let frames = source.subscribe("message").ok()?;
        let trouble = source.subscribe("trouble").ok()?;
        let end = source.subscribe("end").ok()?;
        let text = |it: MessageEvent| it.data().as_string().unwrap_or_default();
        let events = select(frames, select(trouble, end));
        Some(events.map(move |it| it.ok().map(|(kind, event)| (kind, text(event)))))
    }

    /// How it ended.
    async fn listen(
        mut events: impl Stream<Item = Option<(String, String)>> + Unpin,
        told: impl Fn(RunFrame),
        link: RwSignal<Link>,
    ) -> Link {
        while let Some(Some((kind, text))) = events.next().await {
            match kind.as_str() {
                "end" => return Link::Rested,
                "trouble" => drop(link.try_set(Link::Trouble(text))),
                // The server sends two in a second at most: none of them is too many to draw.
                _ => match serde_json::from_str(&text) {
                    Ok(frame) => {
                        link.try_set(Link::Live);
                        told(frame);
                    }
                    Err(_) => return Link::Outdated,
                },
            }
        }
        Link::Lost
    }

    pub fn each_half_second(call: impl Fn(u64, bool) + 'static) {
        let begun = js_sys::Date::now();
        every_half_second(move || {
            // A clock that was set back is no time that has passed.
            let passed = (js_sys::Date::now() - begun).max(0.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole, and not negative"
            )]
            call(passed as u64, !document().hidden());
        });
    }

    fn every_half_second(call: impl Fn() + 'static) {
        if let Ok(handle) = set_interval_with_handle(call, Duration::from_millis(500)) {
            on_cleanup(move || handle.clear());
        }
    }
}
