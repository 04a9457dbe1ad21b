//! Finding is the same as looking at each dataset by itself.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{DatasetState, MadeFor};

/// Some versions, one of which is none and one of which makes no sense.
const VERSIONS: [Option<&str>; 6] =
    [None, Some("0.18.0"), Some("0.9.4"), Some("1.10.0"), Some("1.22.1"), Some("banana")];

fn rows() -> impl Strategy<Value = Vec<DatasetRow>> {
    let row = (
        (
            proptest::option::weighted(0.9, "[a-cA-C]{1,3}"),
            0..VERSIONS.len(),
            0..3_usize,
            any::<bool>(),
        ),
        proptest::collection::vec("[xyz]", 0..3),
        (0..6_usize, proptest::option::of(0..2_000_u64), proptest::option::of(0..9_i64), 0..3_u8),
    );
    let rows = row.prop_map(|((name, version, media, persistent), tags, rest)| {
        let (made_for, samples, modified_ms, outlook) = rest;
        let tags: BTreeSet<String> = tags.into_iter().collect();
        DatasetRow {
            name,
            version: VERSIONS[version].map(str::to_owned),
            state: DatasetState::ALL[version % DatasetState::ALL.len()],
            media_type: [None, Some("image"), Some("video")][media].map(str::to_owned),
            persistent,
            tags: tags.into_iter().collect(),
            made_for: MadeFor::ALL.get(made_for).copied(),
            samples,
            modified_ms,
            outlook: match outlook {
                0 => Outlook::Unknown,
                1 => Outlook::Stamp,
                _ => Outlook::Blocked { reason: "it has groups".to_owned() },
            },
            ..DatasetRow::default()
        }
    });
    proptest::collection::vec(rows, 0..60).prop_map(|mut rows| {
        for (at, row) in rows.iter_mut().enumerate() {
            row.id = format!("id{at:03}");
        }
        rows.sort_by(|a, b| order(a).cmp(&order(b)));
        rows
    })
}

fn order(row: &DatasetRow) -> (bool, Option<&str>, &str) {
    Catalog::order(row.name.as_deref(), &row.id)
}

fn queries() -> impl Strategy<Value = DatasetQuery> {
    let values = [
        (Facet::Version, vec!["none", "0.18.0", "1.22.1"]),
        (Facet::State, vec!["current", "behind"]),
        (Facet::Needs, vec!["yes"]),
        (Facet::Blocked, vec!["yes", "unknown"]),
        (Facet::Media, vec!["image", "none"]),
        (Facet::Size, vec!["small", "empty", "unknown"]),
        (Facet::Persistent, vec!["no"]),
        (Facet::Tag, vec!["x", "y"]),
    ];
    let all: Vec<(Facet, &str)> = values
        .into_iter()
        .flat_map(|(facet, it)| it.into_iter().map(move |it| (facet, it)))
        .collect();
    let chosen = proptest::sample::subsequence(all, 0..4);
    (chosen, "[aB]?", 0..3_usize, 0..4_usize, any::<bool>()).prop_map(
        |(chosen, search, tab, sort, descending)| {
            let mut by_facet: BTreeMap<Facet, BTreeSet<String>> = BTreeMap::new();
            for (facet, value) in chosen {
                by_facet.entry(facet).or_default().insert(value.to_owned());
            }
            DatasetQuery {
                tab: DatasetTab::ALL[tab],
                search,
                chosen: by_facet,
                sort: DatasetSort::ALL[sort],
                descending,
                page: 1,
            }
        },
    )
}

/// Whether a dataset is looked for, but for one facet, if one is named.
fn is_wanted(row: &DatasetRow, query: &DatasetQuery, but: Option<Facet>) -> bool {
    let label = row.label().to_lowercase();
    let facets = query.chosen.iter().filter(|(facet, _)| Some(**facet) != but);
    label.contains(&query.search.to_lowercase())
        && row.tab() == query.tab
        && facets
            .into_iter()
            .all(|(facet, wanted)| row.values(*facet).into_iter().any(|it| wanted.contains(it)))
}

proptest! {
    #[test]
    fn a_catalog_gives_back_what_was_put_in(rows in rows()) {
        let catalog = Catalog::of(rows.clone());
        let back: Vec<DatasetRow> = (0..catalog.len()).filter_map(|it| catalog.row(it)).collect();
        prop_assert_eq!(back, rows);
    }

    #[test]
    fn what_is_found_is_what_has_all_that_is_asked_for(rows in rows(), query in queries()) {
        let catalog = Catalog::of(rows.clone());
        let found = catalog.find(&query);
        let wanted: Vec<&DatasetRow> =
            rows.iter().filter(|it| is_wanted(it, &query, None)).collect();
        prop_assert_eq!(found.count, wanted.len() as u64);
        let ids = |rows: &mut dyn Iterator<Item = &DatasetRow>| -> BTreeSet<String> {
            rows.map(|it| it.id.clone()).collect()
        };
        prop_assert_eq!(ids(&mut found.rows.iter()), ids(&mut wanted.into_iter()));
        let places = catalog.matching(&query);
        let again: Vec<DatasetRow> = places.into_iter().filter_map(|it| catalog.row(it)).collect();
        prop_assert_eq!(again, found.rows);
        for (tab, count) in found.tabs {
            let in_tab = DatasetQuery { tab, ..query.clone() };
            let wanted = rows.iter().filter(|it| is_wanted(it, &in_tab, None)).count();
            prop_assert_eq!(count, wanted as u64);
        }
    }

    #[test]
    fn what_does_not_exist_for_somebody_is_neither_found_nor_counted(
        rows in rows(), query in queries(), hidden in any::<u64>()
    ) {
        let exists = |id: &str| {
            let at: u32 = id.trim_start_matches("id").parse().unwrap();
            hidden & (1 << (at % 64)) == 0
        };
        let some = Catalog::of(rows.clone()).only(exists);
        let others = Catalog::of(rows.iter().filter(|it| exists(&it.id)).cloned());
        prop_assert_eq!(some.find(&query).rows, others.find(&query).rows);
        prop_assert_eq!(some.find(&query).tabs, others.find(&query).tabs);
        let counts = |it: &Catalog| -> BTreeSet<(Facet, String, u64)> {
            let facets = it.find(&query).facets.into_iter();
            let values = |it: FacetCounts| {
                it.values.into_iter().map(move |value| (it.facet, value.value, value.count))
            };
            facets.flat_map(values).collect()
        };
        prop_assert_eq!(counts(&some), counts(&others));
        prop_assert_eq!((some.shown(), some.looked_at()), (others.len(), others.looked_at()));
        prop_assert_eq!(some.matching(&query).len(), others.matching(&query).len());
        for (at, row) in rows.iter().enumerate() {
            prop_assert_eq!(some.row(at).is_some(), exists(&row.id));
        }
    }

    #[test]
    fn a_value_is_counted_as_if_nothing_else_of_its_facet_were_chosen(rows in rows(), query in queries()) {
        let found = Catalog::of(rows.clone()).find(&query);
        for FacetCounts { facet, values, more } in found.facets {
            prop_assert_eq!(more, 0);
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for row in rows.iter().filter(|it| is_wanted(it, &query, Some(facet))) {
                for value in row.values(facet) {
                    *counts.entry(value.to_owned()).or_default() += 1;
                }
            }
            for chosen in query.chosen.get(&facet).into_iter().flatten() {
                counts.entry(chosen.clone()).or_default();
            }
            let told: BTreeMap<String, u64> =
                values.into_iter().map(|it| (it.value, it.count)).collect();
            prop_assert_eq!(told, counts);
        }
    }

    #[test]
    fn whichever_way_it_goes_what_is_not_known_comes_last(rows in rows(), sort in 0..4_usize) {
        let catalog = Catalog::of(rows);
        let keys = |descending: bool| -> Vec<Option<(Option<Version>, String)>> {
            let query = DatasetQuery { sort: DatasetSort::ALL[sort], descending, ..DatasetQuery::default() };
            let key = |row: DatasetRow| match query.sort {
                DatasetSort::Name => row.name.map(|it| (None, it)),
                DatasetSort::Version => row.version.map(|it| (it.parse().ok(), it)),
                DatasetSort::Size => row.samples.map(|it| (None, format!("{it:09}"))),
                DatasetSort::Modified => row.modified_ms.map(|it| (None, format!("{it:09}"))),
            };
            catalog.find(&query).rows.into_iter().map(key).collect()
        };
        for (descending, mut keys) in [(false, keys(false)), (true, keys(true))] {
            let known = keys.iter().take_while(|it| it.is_some()).count();
            prop_assert!(keys[known..].iter().all(Option::is_none));
            keys.truncate(known);
            if descending {
                keys.reverse();
            }
            prop_assert!(keys.is_sorted(), "{:?}", keys);
        }
    }
}

fn many(count: usize) -> Catalog {
    let row = |at: usize| DatasetRow {
        id: format!("id{at:06}"),
        name: Some(format!("Dataset {at:06}")),
        version: Some("1.0.0".to_owned()),
        tags: vec![format!("tag {}", at % 100)],
        ..DatasetRow::default()
    };
    Catalog::of((0..count).map(row))
}

#[test]
fn pages_have_a_hundred_rows_and_one_that_there_is_not_is_the_last() {
    let catalog = many(250);
    let found = |text: &str| catalog.find(&DatasetQuery::parse(text));
    let third = found("page=3");
    assert_eq!((third.rows.len(), third.page, third.pages, third.count), (50, 3, 3, 250));
    assert_eq!(third.rows[0].label(), "Dataset 000200");
    assert_eq!(found("page=99").page, 3);
    assert_eq!(found("q=dataset+00024").count, 10);
    assert_eq!(found("q=ID000007").rows[0].id, "id000007");
    let nothing = found("q=cat&tag=gone");
    assert_eq!((nothing.page, nothing.pages, nothing.count), (1, 1, 0));
    let gone = &nothing.facets[Facet::Tag.place()].values[0];
    assert_eq!((gone.value.as_str(), gone.count, gone.chosen), ("gone", 0, true));
}

#[test]
fn of_very_many_values_some_are_told_and_all_that_were_chosen() {
    let found = many(300).find(&DatasetQuery::parse("tag=tag+99"));
    let tags = &found.facets[Facet::Tag.place()];
    assert_eq!((tags.values.len(), tags.more), (VALUES + 1, 59));
    assert!(tags.values.iter().any(|it| it.chosen && it.value == "tag 99" && it.count == 3));
}

#[test]
fn what_is_seen_later_is_found_and_changes_nothing_else() {
    let catalog = many(10);
    let blocked = DatasetQuery::parse("blocked=yes");
    assert_eq!((catalog.looked_at(), catalog.find(&blocked).count), (0, 0));
    let outlook = |at: usize| match at {
        3 => Outlook::Blocked { reason: "it has groups".to_owned() },
        4..8 => Outlook::Crosses { revisions: 2 },
        _ => Outlook::Unknown,
    };
    let seen = catalog.seen(|at| (Some(at as u64), outlook(at)));
    assert_eq!(seen.looked_at(), 5);
    let rows = seen.find(&blocked).rows;
    assert_eq!((rows.len(), rows[0].samples, rows[0].outlook.clone()), (1, Some(3), outlook(3)));
}
