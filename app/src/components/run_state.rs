//! The state of a run: a word, a shape, and only then a color.

use leptos::prelude::*;
use model::{JobState, Tone};

/// How a state is to be taken.
pub fn tone(state: JobState) -> Tone {
    match state {
        JobState::Completed | JobState::Undone => Tone::Good,
        JobState::CompletedWithFailures | JobState::Failed | JobState::PartlyUndone => {
            Tone::Problem
        }
        JobState::Planned
        | JobState::Running
        | JobState::Pausing
        | JobState::Paused
        | JobState::Cancelling
        | JobState::Cancelled
        | JobState::Verifying
        | JobState::Undoing => Tone::Todo,
    }
}

/// The state with its mark.
#[component]
pub fn RunState(state: JobState) -> impl IntoView {
    let mut word = state.to_string();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    view! {
        <span class="tone" data-tone=tone(state).name()>
            <Shape state />
            {word}
        </span>
    }
}

/// Its mark alone, beside words that say the state.
#[component]
pub fn RunMark(state: JobState) -> impl IntoView {
    view! {
        <span class="tone" data-tone=tone(state).name()>
            <Shape state />
        </span>
    }
}

#[component]
fn Shape(state: JobState) -> impl IntoView {
    let shape = match state {
        JobState::Completed => "M3.5 8.5l3 3 6-7",
        JobState::CompletedWithFailures | JobState::PartlyUndone => "M8 3v6.5M8 12.6v.2",
        JobState::Failed => "M4 4l8 8M12 4l-8 8",
        JobState::Planned => "M8 4v4.5l3 1.8M8 1.8a6.2 6.2 0 1 1 0 12.4a6.2 6.2 0 1 1 0-12.4",
        JobState::Running => "M5 3.2l7.5 4.8L5 12.8z",
        JobState::Paused | JobState::Pausing => "M5.5 3.5v9M10.5 3.5v9",
        JobState::Cancelled | JobState::Cancelling => "M4 4h8v8H4z",
        JobState::Verifying => "M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9M10.3 10.3l3.2 3.2",
        JobState::Undoing | JobState::Undone => {
            "M6.5 2.5L3 6l3.5 3.5M3.3 6H9a3.7 3.7 0 0 1 0 7.4H6"
        }
    };
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
            <path d=shape />
        </svg>
    }
}
