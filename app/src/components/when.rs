//! A moment, as text that is the same on both sides and the same for everybody.

use leptos::prelude::*;

/// `2026-11-23 11:14 UTC`, with the exact moment for programs and on hover. `time`: RFC 3339, UTC.
#[component]
pub fn When(#[prop(into)] time: String) -> impl IntoView {
    let shown = short(&time);
    view! { <time datetime=time.clone() title=time>{shown}</time> }
}

fn short(time: &str) -> String {
    match (time.get(..10), time.get(10..11), time.get(11..16)) {
        (Some(day), Some("T" | " "), Some(minute)) => format!("{day} {minute} UTC"),
        _ => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_by_the_minute() {
        assert_eq!(short("2026-11-23T11:14:25.123Z"), "2026-11-23 11:14 UTC");
        assert_eq!(short("soon"), "soon");
    }
}
