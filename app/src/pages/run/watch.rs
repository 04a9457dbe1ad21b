//! What the page of a run knows, and how it hears of news.

use leptos::prelude::*;
use model::{RunFrame, RunPage};

use crate::api::ShownRun;
use crate::live::{self, Link};

/// How long after it was asked all of the page is asked for again, in milliseconds: when something of it has changed,
/// while the run goes on, when nothing is told any more, and when nothing is to be told.
const CHANGED_MS: u64 = 2_000;
const ACTIVE_MS: u64 = 10_000;
const LOST_MS: u64 = 5_000;
const RESTED_MS: u64 = 15_000;

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
    pub link: ReadSignal<Link>,
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
        let (link, set_link) = signal(Link::Live);
        let (attempt, set_attempt) = signal(0_u32);
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
        live::follow(id, attempt, show, set_link);
        let ask = move || {
            asked.set_value(now.get_value());
            again.dispatch(question.clone());
        };
        Effect::new(move || {
            let Some(Ok(page)) = again.value().get() else { return };
            // While the server tells news, that is newer.
            if link.get_untracked() != Link::Live || frame.read_untracked().rests() {
                let rests = page.frame.rests();
                show(page.frame);
                if !rests {
                    set_attempt.update(|it| *it += 1);
                }
            }
        });
        live::each_half_second(move |ms| {
            now.set_value(ms);
            set_since_ms.set(ms.saturating_sub(came.get_value()));
            let latest = frame.read_untracked();
            let wait = match link.get_untracked() {
                Link::Lost => LOST_MS,
                Link::Rested => RESTED_MS,
                Link::Live | Link::Trouble(_) if is_news(&latest, &page.read_untracked()) => {
                    CHANGED_MS
                }
                Link::Live | Link::Trouble(_) => ACTIVE_MS,
            };
            if ms.saturating_sub(asked.get_value()) >= wait && !again.pending().get_untracked() {
                ask();
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

/// Whether the rest of the page does not go with the frame any more.
fn is_news(frame: &RunFrame, page: &RunPage) -> bool {
    let about = |it: &RunFrame| (it.run.state, it.run.datasets.clone(), it.run.wish.clone());
    about(frame) != about(&page.frame)
}
