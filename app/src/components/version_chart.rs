//! How many datasets have which version.

use leptos::either::Either;
use leptos::prelude::*;
use model::{VersionCount, datasets_at, words};

/// Height of a bar with the gap below it, in `em`.
const ROW_EM: f64 = 2.25;
/// Where bars begin and how far the longest one goes, in percent of the chart's width.
const START_PERCENT: f64 = 19.0;
const LONGEST_PERCENT: f64 = 66.0;
/// Longer versions are cut in the chart; the table has all of them.
const LABEL_CHARS: usize = 8;

/// A bar per version, drawn by the server as SVG, and the same as a table. Each leads to its datasets.
#[component]
pub fn VersionChart(
    counts: Vec<VersionCount>,
    /// Whether whoever looks may see which datasets there are.
    leads: bool,
) -> impl IntoView {
    if counts.is_empty() {
        return Either::Left(
            view! { <p class="muted">"There are no datasets in this database."</p> },
        );
    }
    Either::Right(view! {
        <figure class="chart">
            <Legend counts=counts.clone() />
            <Bars counts=counts.clone() leads />
            <details class="chart-table">
                <summary>"Show as a table"</summary>
                <Table counts leads />
            </details>
        </figure>
    })
}

#[component]
fn Legend(counts: Vec<VersionCount>) -> impl IntoView {
    let entry = |outdated: bool, words: &'static str| {
        let total = total(counts.iter().filter(|it| it.needs_migration == outdated));
        view! {
            <li data-outdated=outdated.to_string()>
                <svg class="swatch" aria-hidden="true" width="12" height="12">
                    <rect class="bar" width="100%" height="100%" rx="3" />
                    <rect class="bar-hatch" width="100%" height="100%" rx="3" />
                </svg>
                <span class="number">{words::count(total)}</span>
                " "
                {words}
            </li>
        }
    };
    view! { <ul class="legend">{entry(false, "up to date")} {entry(true, "to migrate")}</ul> }
}

#[component]
fn Bars(counts: Vec<VersionCount>, leads: bool) -> impl IntoView {
    let most = counts.iter().map(|it| it.datasets).max().unwrap_or_default();
    let rows = u32::try_from(counts.len()).unwrap_or(u32::MAX);
    let height = format!("{}em", ROW_EM * f64::from(rows));
    let words = summary(&counts);
    let rows = counts.into_iter().zip(0_u32..).map(|(count, index)| {
        let middle = format!("{}em", ROW_EM * (f64::from(index) + 0.5));
        let top = format!("{}em", ROW_EM * f64::from(index) + 0.45);
        let width = length_percent(count.datasets, most);
        let width_percent = format!("{width:.2}%");
        let end = format!("{:.2}%", START_PERCENT + width);
        let start = format!("{START_PERCENT}%");
        let them = leads.then(|| datasets_at(count.version.as_deref()));
        let said = format!("{}: {}", name(&count), words::counted(count.datasets, "dataset"));
        view! {
            <g>
            <a class="chart-row" href=them aria-label=said
                data-outdated=count.needs_migration.to_string()>
                <rect class="chart-row-place" y=format!("{}em", ROW_EM * f64::from(index)) width="100%"
                    height=format!("{ROW_EM}em") />
                <text class="chart-version" y=middle.clone()>{label(&count)}</text>
                <rect class="bar" x=start.clone() y=top.clone() width=width_percent.clone()
                    height="1.35em" rx="4" />
                <rect class="bar-hatch" x=start y=top width=width_percent height="1.35em" rx="4" />
                <text class="chart-count" x=end dx="0.6em" y=middle>{words::count(count.datasets)}</text>
            </a>
            </g>
        }
    });
    view! {
        <svg class="bars" role="group" aria-label=words width="100%" height=height>
            <defs>
                <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse"
                    patternTransform="rotate(45)">
                    <rect class="hatch-line" width="2" height="6" />
                </pattern>
            </defs>
            {rows.collect_view()}
        </svg>
    }
}

#[component]
fn Table(counts: Vec<VersionCount>, leads: bool) -> impl IntoView {
    let rows = counts.into_iter().map(|count| {
        let them = leads.then(|| datasets_at(count.version.as_deref()));
        view! {
            <tr>
                <th scope="row">
                    <a href=them rel="external">
                        {name(&count)}
                    </a>
                </th>
                <td>{words::count(count.datasets)}</td>
                <td>{if count.needs_migration { "to migrate" } else { "up to date" }}</td>
            </tr>
        }
    });
    view! {
        <table>
            <thead>
                <tr>
                    <th scope="col">"Dataset version"</th>
                    <th scope="col">"Datasets"</th>
                    <th scope="col">"State"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

/// How long the bar of so many datasets is when the longest one stands for `most`.
fn length_percent(datasets: u64, most: u64) -> f64 {
    const STEPS: u32 = 10_000;
    let steps = datasets.saturating_mul(STEPS.into()) / most.max(1);
    LONGEST_PERCENT * f64::from(u32::try_from(steps).unwrap_or(STEPS)) / f64::from(STEPS)
}

/// The whole chart in one sentence, for those who do not see it.
fn summary(counts: &[VersionCount]) -> String {
    let parts: Vec<_> =
        counts.iter().map(|it| format!("{}: {}", name(it), words::count(it.datasets))).collect();
    format!("Datasets by version. {}", parts.join(", "))
}

fn name(count: &VersionCount) -> String {
    count.version.clone().unwrap_or_else(|| "none".to_owned())
}

fn label(count: &VersionCount) -> String {
    let name = name(count);
    match name.char_indices().nth(LABEL_CHARS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}

fn total<'a>(counts: impl Iterator<Item = &'a VersionCount>) -> u64 {
    counts.map(|it| it.datasets).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(version: Option<&str>, datasets: u64) -> VersionCount {
        VersionCount { version: version.map(str::to_owned), datasets, needs_migration: true }
    }

    #[test]
    fn the_summary_says_what_the_bars_show() {
        let counts = [count(None, 1), count(Some("0.18.0"), 12_345)];
        assert_eq!(summary(&counts), "Datasets by version. none: 1, 0.18.0: 12,345");
    }

    #[test]
    fn the_most_common_version_has_the_longest_bar() {
        let lengths = [0, 1, 2].map(|datasets| format!("{:.1}", length_percent(datasets, 2)));
        assert_eq!(lengths, ["0.0", "33.0", "66.0"]);
    }

    #[test]
    fn a_long_version_is_cut_between_letters() {
        assert_eq!(label(&count(Some("1.22.1"), 1)), "1.22.1");
        assert_eq!(label(&count(Some("ééééééééé"), 1)), "éééééééé…");
    }
}
