//! `/help`: what to do, what each page is for, and what the words mean.

mod places;
mod questions;
mod words;

use leptos::prelude::*;
use leptos_meta::Title;

/// One thing that is explained.
struct Topic {
    /// The end of its address.
    id: &'static str,
    /// The question, the page or the word.
    title: &'static str,
    /// For whom it is, if not for everybody.
    whom: Option<&'static str>,
    /// Paragraphs; what is typed stands between backticks.
    text: &'static [&'static str],
    /// The ids of what is worth reading after it.
    see: &'static [&'static str],
}

/// Topics of a kind.
struct Chapter {
    id: &'static str,
    title: &'static str,
    topics: &'static [Topic],
}

const CHAPTERS: [Chapter; 3] = [
    Chapter { id: "questions", title: "What to do", topics: questions::QUESTIONS },
    Chapter { id: "pages", title: "What each page is for", topics: places::PLACES },
    Chapter { id: "words", title: "What the words mean", topics: words::WORDS },
];

/// All of it, on one page, so that browsers can search it.
#[component]
pub fn Help() -> impl IntoView {
    view! {
        <Title text="Help" />
        <header class="page-header">
            <h1>"Help"</h1>
        </header>
        <Contents />
        {CHAPTERS.into_iter().map(chapter).collect_view()}
    }
}

#[component]
fn Contents() -> impl IntoView {
    let lists = CHAPTERS.into_iter().map(|Chapter { id, title, topics }| {
        let topics = topics.iter().map(|it| view! { <li>{link(it)}</li> });
        view! {
            <div>
                <h3>
                    <a href=format!("#{id}")>{title}</a>
                </h3>
                <ul>{topics.collect_view()}</ul>
            </div>
        }
    });
    view! {
        <nav class="card help-contents" aria-labelledby="contents">
            <h2 id="contents">"Contents"</h2>
            {lists.collect_view()}
        </nav>
    }
}

fn chapter(Chapter { id, title, topics }: Chapter) -> impl IntoView {
    view! {
        <section class="card help" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            {topics.iter().map(topic).collect_view()}
        </section>
    }
}

fn topic(it: &'static Topic) -> impl IntoView {
    let whom = it.whom.map(|it| view! { <p class="muted">{it}</p> });
    let text = it.text.iter().map(|it| view! { <p>{with_code(it)}</p> });
    let all = || CHAPTERS.iter().flat_map(|it| it.topics);
    let see = it.see.iter().filter_map(|id| all().find(|it| it.id == *id));
    let see = (!it.see.is_empty()).then(|| {
        let links = see.map(|it| view! { <li>{link(it)}</li> });
        view! {
            <ul class="help-see" aria-label=format!("See also, from {}", it.title)>
                {links.collect_view()}
            </ul>
        }
    });
    view! {
        <section class="help-topic" aria-labelledby=it.id>
            <h3 id=it.id>{it.title}</h3>
            {whom}
            {text.collect_view()}
            {see}
        </section>
    }
}

fn link(it: &Topic) -> impl IntoView + use<> {
    view! { <a href=format!("#{}", it.id)>{it.title}</a> }
}

/// A paragraph in which what stands between backticks is code.
fn with_code(text: &'static str) -> impl IntoView {
    let pieces = text.split('`').enumerate().map(|(at, piece)| {
        if at % 2 == 0 { piece.into_any() } else { view! { <code>{piece}</code> }.into_any() }
    });
    pieces.collect_view()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everything_is_found_under_one_name_and_leads_only_to_what_is_there() {
        let mut ids = BTreeSet::from(["contents", "content"]);
        for chapter in &CHAPTERS {
            assert!(ids.insert(chapter.id), "{} is there twice", chapter.id);
            for topic in chapter.topics {
                assert!(ids.insert(topic.id), "{} is there twice", topic.id);
            }
        }
        for topic in CHAPTERS.iter().flat_map(|it| it.topics) {
            for id in topic.see {
                assert!(ids.contains(id), "{} leads to {id}, which is not there", topic.id);
                assert_ne!(*id, topic.id, "it leads to itself");
            }
        }
    }

    #[test]
    fn every_sentence_is_whole() {
        for topic in CHAPTERS.iter().flat_map(|it| it.topics) {
            assert!(!topic.text.is_empty(), "{} says nothing", topic.id);
            for text in topic.text {
                assert_eq!(text.matches('`').count() % 2, 0, "{}: {text}", topic.id);
                assert!(text.ends_with('.'), "{}: {text}", topic.id);
                assert!(!text.contains("  "), "{}: {text}", topic.id);
            }
        }
    }
}
