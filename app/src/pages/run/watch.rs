//! What the page of a run knows, and how it hears of news.

use leptos::prelude::*;
use model::{RunFrame, RunPage};

use crate::api::{ApiError, ShownRun};
use crate::live::{self, Link};

/// How long after it was asked all of the page is asked for again, in milliseconds.
mod wait {
    /// When the run is in another state than what is shown of it.
    pub const CHANGED: u64 = 2_000;
    /// When nothing is told any more, or other datasets have had their turn.
    pub const SOON: u64 = 5_000;
    /// While nothing is to be told.
    pub const RESTED: u64 = 15_000;
    /// Otherwise: there are new lines in the log, perhaps.
    pub const LONG: u64 = 30_000;
}

/// How long it is kept quiet after something was said to those who cannot see it, in milliseconds.
const QUIET_MS: u64 = 5_000;

/// A run, watched.
#[derive(Clone, Copy)]
pub struct Watch {
    /// How it is now.
    pub frame: ReadSignal<RunFrame>,
    /// How many milliseconds ago that was told.
    pub since_ms: ReadSignal<u64>,
    /// All of the page, which may be a little older.
    pub page: Memo<RunPage>,
    /// How the page hears of news.
    pub link: RwSignal<Link>,
    /// What is said to those who cannot see the figures change.
    pub said: ReadSignal<String>,
}

impl Watch {
    /// Begins with what the server has rendered.
    pub fn of(first: RunPage) -> Self {
        let id = first.frame.run.id.clone();
        let again = ServerAction::<ShownRun>::new();
        let (frame, set_frame) = signal(first.frame.clone());
        let (since_ms, set_since_ms) = signal(0);
        let link = RwSignal::new(Link::Connecting);
        let (attempt, set_attempt) = signal(0_u32);
        let (seen, set_seen) = signal(true);
        let (said, set_said) = signal(String::new());
        let question = ShownRun { id: id.clone(), show: first.show.clone() };
        let page = Memo::new(move |before: Option<&RunPage>| match again.value().get() {
            Some(Ok(page)) => page,
            Some(Err(_)) | None => before.unwrap_or(&first).clone(),
        });

        // By the ticks of the browser's clock: when the frame came, when all was asked for, and when something was said.
        let now = StoredValue::new(0_u64);
        let (came, asked, spoke) = (StoredValue::new(0), StoredValue::new(0), StoredValue::new(0));
        let show = move |news: RunFrame| {
            came.set_value(now.get_value());
            set_since_ms.set(0);
            set_frame.set(news);
        };
        // Browsers keep few connections to one host: none for pages that nobody sees.
        let listens = Memo::new(move |_| seen.get());
        live::follow(id, (attempt, listens), show, link);
        Effect::new(move || {
            let Some(answer) = again.value().get() else { return };
            let heard = link.get_untracked();
            match answer {
                Ok(page) => {
                    let (news, rests) = (page.frame, frame.read_untracked().rests());
                    let goes_on = !news.rests();
                    // An answer that took long is older than what came meanwhile.
                    if news.at > frame.read_untracked().at {
                        show(news);
                    }
                    match heard {
                        Link::Connecting | Link::Live | Link::SignedOut | Link::Outdated => {}
                        Link::Rested if rests && !goes_on => {}
                        _ if goes_on => set_attempt.update(|it| *it += 1),
                        _ => link.set(Link::Rested),
                    }
                }
                Err(ApiError::UnknownVisitor) => link.set(Link::SignedOut),
                Err(_) if heard == Link::Live => {}
                Err(ApiError::Transport { .. }) => link.set(Link::Unreachable),
                Err(error) => link.set(Link::Trouble(error.to_string())),
            }
        });
        live::each_half_second(move |ms, is_seen| {
            now.set_value(ms);
            if *seen.read_untracked() != is_seen {
                set_seen.set(is_seen);
            }
            set_since_ms.set(ms.saturating_sub(came.get_value()));
            let latest = frame.read_untracked();
            let wait = wait_ms(&link.read_untracked(), &latest, &page.read_untracked());
            let waited = ms.saturating_sub(asked.get_value());
            if is_seen && wait.is_some_and(|it| waited >= it) && !again.pending().get_untracked() {
                asked.set_value(ms);
                again.dispatch(question.clone());
            }
            let sentence = latest.sentence();
            if ms.saturating_sub(spoke.get_value()) >= QUIET_MS
                && *said.read_untracked() != sentence
            {
                spoke.set_value(ms);
                set_said.set(sentence);
            }
        });
        Self { frame, since_ms, page, link, said }
    }
}

/// How long to wait before all of the page is asked for again; `None`: it is not.
fn wait_ms(link: &Link, frame: &RunFrame, page: &RunPage) -> Option<u64> {
    let (run, shown) = (&frame.run, &page.frame.run);
    let has_changed = (run.state, &run.wish) != (shown.state, &shown.wish);
    match link {
        Link::SignedOut | Link::Outdated => None,
        Link::Connecting | Link::Live | Link::Rested if has_changed => Some(wait::CHANGED),
        Link::Rested if run.datasets == shown.datasets => Some(wait::RESTED),
        Link::Connecting | Link::Live if run.datasets == shown.datasets => Some(wait::LONG),
        _ => Some(wait::SOON),
    }
}
