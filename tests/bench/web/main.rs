//! How fast the web app is, printed: `make bench-web`.

mod list;
mod pages;
mod watchers;

use std::time::Duration;

use anyhow::Result;

#[tokio::main]
async fn main() -> Result<()> {
    list::measure().await?;
    watchers::measure().await?;
    pages::measure().await
}

/// Prints how long something took: half of the times, almost all of them, and the longest.
#[expect(clippy::print_stdout, reason = "what a benchmark is for")]
fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len().saturating_sub(1) * percent / 100);
    let ms = |it: Option<&Duration>| it.map_or(f64::NAN, |it| it.as_secs_f64() * 1_000.0);
    println!(
        "{what}: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, longest {:.1} ms, of {}",
        ms(at(50)),
        ms(at(95)),
        ms(at(99)),
        ms(times.last()),
        times.len()
    );
}

/// Prints one figure.
#[expect(clippy::print_stdout, reason = "what a benchmark is for")]
fn say(what: &str, figure: impl std::fmt::Display) {
    println!("{what}: {figure}");
}
