//! All datasets of a deployment in little memory, and finding some of them: without a database, so that it is as fast for
//! a hundred thousand as a page has to be.

use std::collections::HashMap;
use std::sync::Arc;

use super::{
    DatasetQuery, DatasetRow, DatasetSort, DatasetTab, Facet, FacetCounts, FacetValue, Found,
    Outlook, ROWS_ON_PAGE,
};
use crate::Version;

/// How many values of a facet are told.
const VALUES: usize = 40;

/// The facets of which a dataset has one value that only its document decides. What is looked up later comes after them.
const STORED: [Facet; 6] =
    [Facet::Version, Facet::State, Facet::Needs, Facet::Media, Facet::Persistent, Facet::Private];

/// Datasets as they were read, by name; those without a name last.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    read: Arc<Read>,
    /// What is known of each beside its document.
    looks: Vec<Look>,
    /// Which of them there are for whoever looks; `None`: all.
    shown: Option<Arc<[bool]>>,
}

/// What was read of all datasets.
#[derive(Debug, Default)]
struct Read {
    entries: Vec<Entry>,
    words: Vec<Words>,
    /// The place of each version among all, oldest first.
    ranks: Vec<u32>,
}

/// The values of a facet that there are; a dataset has the number of its own.
#[derive(Debug, Default)]
struct Words {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

/// One dataset.
#[derive(Debug)]
struct Entry {
    id: Box<str>,
    name: Option<Box<str>>,
    /// Its name, or its id where it has none, in small letters; `None` where that is the same.
    folded: Option<Box<str>>,
    row: Box<Rest>,
    values: [u32; STORED.len()],
    tags: Box<[u32]>,
    tab: DatasetTab,
    modified_ms: Option<i64>,
}

/// What is only told.
#[derive(Debug)]
struct Rest {
    state: super::DatasetState,
    made_for: Option<super::MadeFor>,
    fields: u64,
    bytes: u64,
    created_ms: Option<i64>,
}

/// What is known of a dataset beside its document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Look {
    samples: Option<u64>,
    outlook: Outlook,
}

/// What a query asks of the values of a facet: `None` for nothing.
type Wanted = Option<Vec<bool>>;

impl Catalog {
    /// The catalog of these, which have to be in the order of [`Catalog::order`].
    pub fn of(rows: impl IntoIterator<Item = DatasetRow>) -> Self {
        let mut read = Read {
            words: Facet::ALL.iter().map(|_| Words::default()).collect(),
            ..Read::default()
        };
        let mut looks = Vec::new();
        for row in rows {
            read.entries.push(Entry::of(&row, &mut read.words));
            looks.push(Look { samples: row.samples, outlook: row.outlook });
        }
        read.ranks = ranks(&read.words[Facet::Version.place()]);
        Self { read: Arc::new(read), looks, shown: None }
    }

    /// By what datasets are sorted in a catalog.
    pub fn order<'a>(name: Option<&'a str>, id: &'a str) -> (bool, Option<&'a str>, &'a str) {
        (name.is_none(), name, id)
    }

    /// The same, where this is known of each by now: how many samples it has, and what a migration does to it.
    #[must_use]
    pub fn seen(&self, look: impl Fn(usize) -> (Option<u64>, Outlook)) -> Self {
        let looks = (0..self.len()).map(|at| {
            let (samples, outlook) = look(at);
            Look { samples, outlook }
        });
        let shown = self.shown.clone();
        Self { read: Arc::clone(&self.read), looks: looks.collect(), shown }
    }

    /// The same for somebody for whom the others do not exist. Datasets keep their places.
    #[must_use]
    pub fn only(&self, exists: impl Fn(&str) -> bool) -> Self {
        let shown = self.read.entries.iter().map(|it| exists(&it.id)).collect();
        Self { shown: Some(shown), ..self.clone() }
    }

    /// How many datasets there are for whoever looks.
    pub fn shown(&self) -> usize {
        self.places().count()
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.read.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.read.entries.is_empty()
    }

    /// Of how many it is known what a migration does to them.
    pub fn looked_at(&self) -> usize {
        self.places().filter(|it| self.looks[*it].outlook != Outlook::Unknown).count()
    }

    /// Of how many it is known that a migration is blocked.
    pub fn blocked(&self) -> usize {
        self.looks.iter().filter(|it| matches!(it.outlook, Outlook::Blocked { .. })).count()
    }

    /// The dataset at this place.
    pub fn row(&self, at: usize) -> Option<DatasetRow> {
        let (entry, look) = self.read.entries.get(at).zip(self.looks.get(at))?;
        if !self.shows(at) {
            return None;
        }
        let text = |facet: Facet| {
            let text = self.text(facet, entry.value(facet)?)?;
            (text != super::NONE).then(|| text.to_owned())
        };
        let tag = |it: &u32| self.text(Facet::Tag, *it).map(str::to_owned);
        Some(DatasetRow {
            id: entry.id.clone().into(),
            name: entry.name.clone().map(Into::into),
            version: text(Facet::Version),
            state: entry.row.state,
            media_type: text(Facet::Media),
            persistent: text(Facet::Persistent).is_some_and(|it| it == super::yes(true)),
            made_for: entry.row.made_for,
            tags: entry.tags.iter().filter_map(tag).collect(),
            fields: entry.row.fields,
            bytes: entry.row.bytes,
            samples: look.samples,
            created_ms: entry.row.created_ms,
            modified_ms: entry.modified_ms,
            outlook: look.outlook.clone(),
        })
    }

    /// The places of all datasets that are looked for, in order.
    pub fn matching(&self, query: &DatasetQuery) -> Vec<usize> {
        let mut found = Vec::new();
        self.look(query, |at, _, missed| {
            if missed == Missed::Nothing {
                found.push(at);
            }
        });
        self.sort(&mut found, query);
        found
    }

    /// A page of what is looked for, with what it can be filtered by further.
    pub fn find(&self, query: &DatasetQuery) -> Found {
        let mut found = Vec::new();
        let mut tabs = [0_u64; DatasetTab::ALL.len()];
        let mut counts: Vec<Vec<u64>> =
            self.read.words.iter().map(|it| vec![0; it.texts.len()]).collect();
        let mut later: HashMap<(Facet, &'static str), u64> = HashMap::new();
        self.look(query, |at, entry, missed| {
            if missed == Missed::Nothing {
                found.push(at);
            }
            if matches!(missed, Missed::Nothing | Missed::Tab) {
                tabs[entry.tab as usize] += 1;
            }
            let mut count = |facet: Facet| match facet {
                Facet::Tag => {
                    for tag in &entry.tags {
                        counts[facet.place()][*tag as usize] += 1;
                    }
                }
                Facet::Blocked | Facet::Size => {
                    *later.entry((facet, self.looked(at, facet))).or_default() += 1;
                }
                _ => {
                    if let Some(value) = entry.value(facet) {
                        counts[facet.place()][value as usize] += 1;
                    }
                }
            };
            match missed {
                Missed::Nothing => Facet::ALL.into_iter().for_each(&mut count),
                Missed::Facet(facet) => count(facet),
                Missed::Tab | Missed::More => {}
            }
        });
        self.sort(&mut found, query);
        let count = found.len() as u64;
        let pages = count.div_ceil(ROWS_ON_PAGE).max(1);
        let page = query.page.clamp(1, pages);
        let from = usize::try_from((page - 1) * ROWS_ON_PAGE).unwrap_or(usize::MAX);
        let rows = found.into_iter().skip(from).take(usize::try_from(ROWS_ON_PAGE).unwrap_or(0));
        let facets = Facet::ALL.map(|facet| {
            let stored = self.read.words[facet.place()].texts.iter();
            let stored = stored.zip(&counts[facet.place()]).map(|(text, it)| (&**text, *it));
            let later = later.iter().filter(|((of, _), _)| *of == facet);
            let values = stored.chain(later.map(|((_, word), it)| (*word, *it)));
            told(facet, values.filter(|(_, it)| *it > 0).collect(), query)
        });
        Found {
            rows: rows.filter_map(|it| self.row(it)).collect(),
            page,
            pages,
            count,
            tabs: DatasetTab::ALL.into_iter().zip(tabs).collect(),
            facets: facets.into(),
        }
    }

    /// Looks at every dataset that has the text in its name, and says what else of the query it misses.
    fn look(&self, query: &DatasetQuery, mut each: impl FnMut(usize, &Entry, Missed)) {
        let search = query.search.to_lowercase();
        let wanted: Vec<(Facet, Wanted)> =
            Facet::ALL.into_iter().map(|it| (it, self.wanted(query, it))).collect();
        for (at, entry) in self.read.entries.iter().enumerate() {
            if !self.shows(at) || (!search.is_empty() && !entry.is_called(&search)) {
                continue;
            }
            let mut missed = if entry.tab == query.tab { Missed::Nothing } else { Missed::Tab };
            for (facet, wanted) in &wanted {
                let Some(wanted) = wanted else { continue };
                if !self.has(at, entry, *facet, wanted, query) {
                    missed = match missed {
                        Missed::Nothing => Missed::Facet(*facet),
                        Missed::Tab | Missed::Facet(_) | Missed::More => Missed::More,
                    };
                }
                if missed == Missed::More {
                    break;
                }
            }
            each(at, entry, missed);
        }
    }

    /// Whether the dataset at this place exists for whoever looks.
    fn shows(&self, at: usize) -> bool {
        self.shown.as_ref().is_none_or(|it| it.get(at).copied().unwrap_or(false))
    }

    fn places(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(|it| self.shows(*it))
    }

    /// Which values of a facet are wanted, by their numbers.
    fn wanted(&self, query: &DatasetQuery, facet: Facet) -> Wanted {
        let chosen = query.chosen.get(&facet)?;
        let texts = self.read.words[facet.place()].texts.iter();
        Some(texts.map(|it| chosen.contains(&**it)).collect())
    }

    fn has(
        &self,
        at: usize,
        entry: &Entry,
        facet: Facet,
        wanted: &[bool],
        query: &DatasetQuery,
    ) -> bool {
        let is_wanted = |it: u32| wanted.get(it as usize).copied().unwrap_or(false);
        match facet {
            Facet::Tag => entry.tags.iter().any(|it| is_wanted(*it)),
            Facet::Blocked | Facet::Size => query.has(facet, self.looked(at, facet)),
            _ => entry.value(facet).is_some_and(is_wanted),
        }
    }

    /// The value of a facet that is looked up beside the document.
    fn looked(&self, at: usize, facet: Facet) -> &'static str {
        let look = self.looks.get(at);
        match facet {
            Facet::Size => super::size(look.and_then(|it| it.samples)),
            _ => look.map_or(Outlook::Unknown.blocked(), |it| it.outlook.blocked()),
        }
    }

    fn text(&self, facet: Facet, number: u32) -> Option<&str> {
        self.read.words.get(facet.place())?.texts.get(number as usize).map(|it| &**it)
    }

    /// Puts places in order. Those of which nothing is known are last, whichever way it goes.
    fn sort(&self, found: &mut [usize], query: &DatasetQuery) {
        let key = |at: usize| -> Option<i64> {
            let entry = &self.read.entries[at];
            match query.sort {
                DatasetSort::Name => {
                    entry.name.as_ref()?;
                    i64::try_from(at).ok()
                }
                DatasetSort::Version => {
                    let version = entry.value(Facet::Version)?;
                    let rank = *self.read.ranks.get(version as usize)?;
                    (rank > 0).then(|| rank.into())
                }
                DatasetSort::Size => {
                    self.looks.get(at)?.samples.and_then(|it| i64::try_from(it).ok())
                }
                DatasetSort::Modified => entry.modified_ms,
            }
        };
        let way = |it: i64| if query.descending { it.saturating_neg() } else { it };
        found.sort_by_cached_key(|at| {
            let key = key(*at).map(way);
            (key.is_none(), key, *at)
        });
    }
}

/// What of a query a dataset misses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missed {
    /// Nothing: it is looked for.
    Nothing,
    /// It is in another tab.
    Tab,
    /// It has no value of this facet that is looked for, and all else.
    Facet(Facet),
    /// More than one thing.
    More,
}

impl Entry {
    fn of(row: &DatasetRow, words: &mut [Words]) -> Self {
        let label = row.label();
        let folded = label.to_lowercase();
        let tags = row.tags.iter().map(|it| words[Facet::Tag.place()].number(it)).collect();
        let values = STORED.map(|facet| {
            let value = row.values(facet).first().copied().unwrap_or(super::NONE);
            words[facet.place()].number(value)
        });
        Self {
            id: row.id.as_str().into(),
            name: row.name.as_deref().map(Into::into),
            folded: (folded != label).then(|| folded.into()),
            row: Box::new(Rest {
                state: row.state,
                made_for: row.made_for,
                fields: row.fields,
                bytes: row.bytes,
                created_ms: row.created_ms,
            }),
            values,
            tags,
            tab: row.tab(),
            modified_ms: row.modified_ms,
        }
    }

    /// The number of its value of a facet of [`STORED`].
    fn value(&self, facet: Facet) -> Option<u32> {
        let at = STORED.iter().position(|it| *it == facet)?;
        self.values.get(at).copied()
    }

    /// Whether this, in small letters, is in its name; or is its id.
    fn is_called(&self, search: &str) -> bool {
        let label = self.name.as_deref().unwrap_or(&self.id);
        self.folded.as_deref().unwrap_or(label).contains(search) || *self.id == *search
    }
}

impl Words {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }
}

/// The place of each version among all, from 1; 0 for none.
fn ranks(versions: &Words) -> Vec<u32> {
    let mut order: Vec<usize> = (0..versions.texts.len()).collect();
    order.sort_by_cached_key(|at| {
        let text = versions.texts[*at].clone();
        (text.parse::<Version>().ok(), text)
    });
    let mut ranks = vec![0; versions.texts.len()];
    for (rank, at) in (1_u32..).zip(order) {
        ranks[at] = if *versions.texts[at] == *super::NONE { 0 } else { rank };
    }
    ranks
}

/// The values of a facet as they are told: versions as such, everything else by how many have it.
fn told<'a>(facet: Facet, mut found: Vec<(&'a str, u64)>, query: &'a DatasetQuery) -> FacetCounts {
    // What was chosen is told even where nothing has it: otherwise nobody could take it back.
    let chosen = query.chosen.get(&facet);
    for it in chosen.into_iter().flatten() {
        if !found.iter().any(|(value, _)| value == it) {
            found.push((it, 0));
        }
    }
    if facet == Facet::Version {
        found.sort_by_cached_key(|(value, _)| (value.parse::<Version>().ok(), (*value).to_owned()));
    } else {
        found.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
    }
    // A value that was chosen is never among those that are left out.
    let mut kept = 0;
    let all = found.len();
    found.retain(|(value, _)| {
        let keeps = kept < VALUES || query.has(facet, value);
        kept += usize::from(keeps);
        keeps
    });
    let value = |(value, count): &(&str, u64)| FacetValue {
        value: (*value).to_owned(),
        count: *count,
        chosen: query.has(facet, value),
    };
    let more = (all - found.len()) as u64;
    FacetCounts { facet, values: found.iter().map(value).collect(), more }
}

#[cfg(test)]
mod tests;
