//! What is looked for, as it stands in the address of the browser.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{DatasetSort, DatasetTab, Facet};
use crate::plan::encoded;

/// How many datasets a page has.
pub const ROWS_ON_PAGE: u64 = 100;

/// How long a text may be that is looked for: names are no longer than that by far.
const LONGEST: usize = 2_000;

/// Which datasets, in which order, and which page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetQuery {
    /// Those of this tab.
    pub tab: DatasetTab,
    /// Those with this in their name, in capitals or not; all if it is empty.
    pub search: String,
    /// Those that have one of the values of each facet.
    pub chosen: BTreeMap<Facet, BTreeSet<String>>,
    /// By what they are sorted.
    pub sort: DatasetSort,
    /// Whether the largest come first.
    pub descending: bool,
    /// Which page, from 1. One that there is not is the last one.
    pub page: u64,
}

impl DatasetQuery {
    /// Reads the query of an address. What it does not know is no part of it.
    pub fn parse(text: &str) -> Self {
        let mut query = Self { page: 1, ..Self::default() };
        for pair in text.trim_start_matches('?').split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decoded(key), decoded(value));
            let facet = Facet::ALL.into_iter().find(|it| it.word() == key);
            match (key.as_str(), facet) {
                (_, _) if value.is_empty() || value.len() > LONGEST => {}
                (_, Some(facet)) => {
                    query.chosen.entry(facet).or_default().insert(value);
                }
                ("q", None) => value.trim().clone_into(&mut query.search),
                ("tab", None) => query.tab = value.parse().unwrap_or_default(),
                ("sort", None) => {
                    let (word, descending) =
                        value.strip_prefix('-').map_or((value.as_str(), false), |it| (it, true));
                    if let Ok(sort) = word.parse() {
                        (query.sort, query.descending) = (sort, descending);
                    }
                }
                ("page", None) => query.page = value.parse().unwrap_or(1).max(1),
                _ => {}
            }
        }
        query
    }

    /// The query of its address, without a question mark: only what is not so by itself.
    pub fn text(&self) -> String {
        let mut parts: Vec<(&str, String)> = Vec::new();
        if self.tab != DatasetTab::default() {
            parts.push(("tab", self.tab.word().to_owned()));
        }
        if !self.search.is_empty() {
            parts.push(("q", self.search.clone()));
        }
        for (facet, values) in &self.chosen {
            parts.extend(values.iter().map(|it| (facet.word(), it.clone())));
        }
        if self.sort != DatasetSort::default() || self.descending {
            let way = if self.descending { "-" } else { "" };
            parts.push(("sort", format!("{way}{}", self.sort.word())));
        }
        if self.page > 1 {
            parts.push(("page", self.page.to_string()));
        }
        let parts = parts.into_iter().map(|(key, value)| format!("{key}={}", encoded(&value)));
        parts.collect::<Vec<_>>().join("&")
    }

    /// The page of the browser that shows it.
    pub fn address(&self) -> String {
        match self.text().as_str() {
            "" => "/datasets".to_owned(),
            text => format!("/datasets?{text}"),
        }
    }

    /// Whether this value was chosen.
    pub fn has(&self, facet: Facet, value: &str) -> bool {
        self.chosen.get(&facet).is_some_and(|it| it.contains(value))
    }

    /// The same with this value chosen, or not chosen any more, from the first page on.
    #[must_use]
    pub fn toggled(&self, facet: Facet, value: &str) -> Self {
        let mut other = Self { page: 1, ..self.clone() };
        let values = other.chosen.entry(facet).or_default();
        if !values.remove(value) {
            values.insert(value.to_owned());
        }
        if values.is_empty() {
            other.chosen.remove(&facet);
        }
        other
    }

    /// The same in this order; the other way round, if it is in this order already.
    #[must_use]
    pub fn sorted_by(&self, sort: DatasetSort) -> Self {
        let descending = self.sort == sort && !self.descending;
        Self { sort, descending, page: 1, ..self.clone() }
    }

    /// The same in another tab. What only one tab has is not chosen any more.
    #[must_use]
    pub fn in_tab(&self, tab: DatasetTab) -> Self {
        let mut other = Self { tab, page: 1, ..self.clone() };
        other.chosen.remove(&Facet::Private);
        other
    }

    /// Another page of the same.
    #[must_use]
    pub fn at(&self, page: u64) -> Self {
        Self { page, ..self.clone() }
    }

    /// Whether all datasets of the tab are found.
    pub fn finds_all(&self) -> bool {
        self.search.is_empty() && self.chosen.is_empty()
    }
}

/// The page of the browser that shows the datasets at this version; `None`: those without one.
pub fn datasets_at(version: Option<&str>) -> String {
    match version {
        Some(version) => format!("/datasets?version={}", encoded(version)),
        None => format!("/datasets?tab={}", DatasetTab::Incomplete.word()),
    }
}

/// A part of an address as it is meant. What is no UTF-8 is replaced.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let hex = hex.and_then(|it| std::str::from_utf8(it).ok());
        let coded = hex.filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()));
        if let Some(byte) = coded.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(if *byte == b'+' { b' ' } else { *byte });
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_says_what_is_looked_for() {
        let query = DatasetQuery::parse(
            "?tab=private&q=+Cats%20%26+dogs&version=0.18.0&version=none&tag=a%2Bb&sort=-modified&page=3&x=y",
        );
        assert_eq!(query.tab, DatasetTab::Private);
        assert_eq!(query.search, "Cats & dogs");
        assert!(query.has(Facet::Version, "0.18.0") && query.has(Facet::Version, "none"));
        assert!(query.has(Facet::Tag, "a+b") && !query.has(Facet::Tag, "a"));
        assert_eq!((query.sort, query.descending), (DatasetSort::Modified, true));
        assert_eq!(query.page, 3);
        assert_eq!(
            query.address(),
            "/datasets?tab=private&q=Cats%20%26%20dogs&version=0.18.0&version=none&tag=a%2Bb&sort=-modified&page=3"
        );
    }

    #[test]
    fn what_an_address_does_not_say_is_as_it_is_by_itself() {
        for text in ["", "?", "page=0&tab=moon&sort=color&q=&version=", "page=x&%=%&=&%zz=1&+"] {
            let query = DatasetQuery::parse(text);
            assert_eq!(query, DatasetQuery { page: 1, ..DatasetQuery::default() }, "{text}");
            assert_eq!(query.address(), "/datasets");
        }
    }

    #[test]
    fn the_datasets_at_a_version_have_an_address() {
        let at = DatasetQuery::parse(datasets_at(Some("1.0.0+a")).split_once('?').unwrap().1);
        assert!(at.has(Facet::Version, "1.0.0+a") && at.tab == DatasetTab::Datasets);
        let none = DatasetQuery::parse(datasets_at(None).split_once('?').unwrap().1);
        assert_eq!((none.tab, none.finds_all()), (DatasetTab::Incomplete, true));
    }

    #[test]
    fn choosing_a_value_twice_is_not_choosing_it_and_begins_at_the_first_page() {
        let query = DatasetQuery::parse("page=7&q=a");
        let chosen = query.toggled(Facet::Media, "image");
        assert_eq!(chosen.text(), "q=a&media=image");
        assert_eq!(chosen.toggled(Facet::Media, "image").text(), "q=a");
        assert_eq!(query.sorted_by(DatasetSort::Name).text(), "q=a&sort=-name");
        assert_eq!(query.sorted_by(DatasetSort::Size).text(), "q=a&sort=size");
        let private = DatasetQuery::parse("tab=private&private=clips&state=behind");
        assert_eq!(private.in_tab(DatasetTab::Datasets).text(), "state=behind");
    }

    proptest! {
        #[test]
        fn every_query_comes_back_from_its_address(
            search in "[^\\s].{0,20}[^\\s]|",
            values in proptest::collection::vec((0..Facet::ALL.len(), ".{1,12}"), 0..6),
            tab in 0..3_usize, sort in 0..4_usize, descending: bool, page in 1..900_u64,
        ) {
            let mut query = DatasetQuery {
                tab: DatasetTab::ALL[tab],
                search: search.trim().to_owned(),
                sort: DatasetSort::ALL[sort],
                descending,
                page,
                ..DatasetQuery::default()
            };
            for (facet, value) in values {
                query.chosen.entry(Facet::ALL[facet]).or_default().insert(value);
            }
            prop_assert_eq!(DatasetQuery::parse(&query.text()), query);
        }
    }
}
