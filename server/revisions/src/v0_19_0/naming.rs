//! Giving a dataset a slug, and another name where its own does not do.

use bson::{Bson, DateTime, Document};

use super::slug::{beginning, end, slug};
use crate::Context;

/// Sets `slug`, and `name` if it is missing, has no slug or is taken.
pub(super) fn name(document: &mut Document, cx: &mut Context<'_>) {
    let id = document.get("_id").cloned().unwrap_or(Bson::Null);
    let names = cx.env.names;
    let (name, slug) = match document.get("name") {
        None | Some(Bson::Null) => {
            let found = vacant(cx, &id, str::to_owned);
            cx.warn(format!("it is named `{}`, because it had no name", found.0));
            found
        }
        Some(Bson::String(old)) => match slug(&beginning(old)) {
            None => {
                let found = vacant(cx, &id, str::to_owned);
                cx.warn(format!(
                    "it is renamed from `{old}` to `{}`, because its name has nothing that a URL can hold",
                    found.0
                ));
                found
            }
            Some(slug) if names.name_is_taken(&id, old) || names.slug_is_taken(&id, &slug) => {
                let found = vacant(cx, &id, |stamp| end(&format!("{old}-RENAMED-{stamp}")));
                let same = if names.name_is_taken(&id, old) { "name" } else { "name in URLs" };
                cx.warn(format!(
                    "it is renamed from `{old}` to `{}`, because another dataset has the same {same}",
                    found.0
                ));
                found
            }
            Some(slug) => (old.clone(), slug),
        },
        Some(old) => {
            let found = vacant(cx, &id, str::to_owned);
            cx.warn(format!(
                "it is renamed from `{old}` to `{}`, because its name is not a text",
                found.0
            ));
            found
        }
    };
    document.insert("name", name);
    document.insert("slug", slug);
}

/// What a dataset with this name is called in URLs, if it keeps its name. `None` if it gets another in any case, or might
/// have one that another dataset gets in a run whose names are made of the time `named`.
pub fn name_in_urls(name: &Bson, named: DateTime) -> Option<String> {
    let found = slug(&beginning(name.as_str()?))?;
    let stamp = slug(&stamps(named).0)?;
    (!found.contains(&stamp)).then_some(found)
}

/// A name made from the time, with its slug, that no other dataset has.
fn vacant(cx: &Context<'_>, id: &Bson, compose: impl Fn(&str) -> String) -> (String, String) {
    let names = cx.env.names;
    let (short, long) = stamps(cx.env.named);
    let stamp = if names.name_is_taken(id, &short) { long } else { short };
    let mut number = 1;
    loop {
        let name = match number {
            1 => compose(&stamp),
            _ => compose(&format!("{stamp}-{number}")),
        };
        if let Some(slug) = slug(&name)
            && !names.name_is_taken(id, &name)
            && !names.slug_is_taken(id, &slug)
        {
            return (name, slug);
        }
        number += 1;
    }
}

/// The time to the second, and to the microsecond: `2024.01.02.03.04.05`, `2024.01.02.03.04.05.678000`.
fn stamps(now: DateTime) -> (String, String) {
    let text = now.try_to_rfc3339_string().unwrap_or_default();
    // A time outside of the years that have four digits is only a number.
    let short = match text.get(..19) {
        Some(seconds) => seconds.replace(['-', 'T', ':'], "."),
        None => now.timestamp_millis().to_string(),
    };
    let micros = now.timestamp_millis().rem_euclid(1000) * 1000;
    let long = format!("{short}.{micros:06}");
    (short, long)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bson::doc;

    use super::*;
    use crate::{
        Env, Names,
        trial::{assert_same, becomes},
    };


    /// Names a document where the datasets `1`, `2`, .. have these names and slugs already.
    fn named(before: Document, taken: &[(&str, &str)]) -> (Document, Vec<String>) {
        let mut names = Names::default();
        for (number, (name, slug)) in (1..).zip(taken) {
            names.claim(&Bson::Int32(number), Some(name), Some(slug));
        }
        let now = DateTime::parse_rfc3339_str("2024-01-02T03:04:05.678Z").unwrap();
        let results = BTreeSet::new();
        let mut cx = Context::new(Env { now, named: now, names: &names, results: &results });
        let mut document = before;
        name(&mut document, &mut cx);
        (document, cx.warnings)
    }

    const STAMP: &str = "2024.01.02.03.04.05";
    const SLUG: &str = "2024-01-02-03-04-05";

    #[test]
    fn a_good_name_stays_and_the_slug_goes_to_the_end() {
        let (it, warnings) = named(doc! { "_id": 9, "name": "My Data", "z": 1 }, &[("x", "x")]);
        assert_same(&it, &doc! { "_id": 9, "name": "My Data", "z": 1, "slug": "my-data" });
        assert!(warnings.is_empty());
    }

    #[test]
    fn a_long_name_has_the_slug_of_its_beginning() {
        let long = "a ".repeat(80);
        let (it, warnings) = named(doc! { "_id": 9, "name": &long }, &[]);
        assert_eq!(it, doc! { "_id": 9, "name": long, "slug": format!("{}a", "a-".repeat(49)) });
        assert!(warnings.is_empty());
    }

    #[test]
    fn a_name_without_a_slug_becomes_the_time() {
        for (old, warning) in [
            (Bson::Null, format!("it is named `{STAMP}`, because it had no name")),
            (
                "!!!".into(),
                format!(
                    "it is renamed from `!!!` to `{STAMP}`, because its name has nothing that a URL can hold"
                ),
            ),
            (
                5.into(),
                format!("it is renamed from `5` to `{STAMP}`, because its name is not a text"),
            ),
        ] {
            let (it, warnings) = named(doc! { "name": old, "_id": 9 }, &[]);
            assert_same(&it, &doc! { "name": STAMP, "_id": 9, "slug": SLUG });
            assert_eq!(warnings, [warning]);
        }
        let (it, _) = named(doc! { "_id": 9 }, &[]);
        assert_same(&it, &doc! { "_id": 9, "name": STAMP, "slug": SLUG });
    }

    #[test]
    fn a_time_that_is_taken_gets_longer_until_it_is_not() {
        let named = |taken: &[(&str, &str)]| {
            let (it, _) = named(doc! { "_id": 9 }, taken);
            (it.get_str("name").unwrap().to_owned(), it.get_str("slug").unwrap().to_owned())
        };
        let long = format!("{STAMP}.678000");
        assert_eq!(named(&[(STAMP, "x")]), (long.clone(), format!("{SLUG}-678000")));
        assert_eq!(named(&[("x", SLUG)]), (format!("{STAMP}-2"), format!("{SLUG}-2")));
        let second = format!("{long}-2");
        assert_eq!(
            named(&[(STAMP, "x"), (&long, "y"), (&second, "z")]),
            (format!("{long}-3"), format!("{SLUG}-678000-3"))
        );
    }

    #[test]
    fn a_name_that_is_taken_says_that_it_was_changed() {
        let (it, warnings) = named(doc! { "_id": 9, "name": "My Data" }, &[("my-data", "my-data")]);
        let renamed = format!("My Data-RENAMED-{STAMP}");
        assert_eq!(
            it,
            doc! { "_id": 9, "name": &renamed, "slug": format!("my-data-renamed-{SLUG}") }
        );
        assert_eq!(
            warnings,
            [format!(
                "it is renamed from `My Data` to `{renamed}`, because another dataset has the same name in \
                 URLs"
            )]
        );
        let (_, warnings) = named(doc! { "_id": 9, "name": "x" }, &[("x", "y")]);
        assert!(warnings[0].ends_with("because another dataset has the same name"));
    }

    #[test]
    fn two_datasets_renamed_at_once_get_different_names() {
        let first = (format!("my-data-RENAMED-{STAMP}"), format!("my-data-renamed-{SLUG}"));
        let taken = [("my-data", "my-data"), (&first.0, &first.1)];
        let (it, _) = named(doc! { "_id": 9, "name": "My Data" }, &taken);
        assert_eq!(it.get_str("name").unwrap(), format!("My Data-RENAMED-{STAMP}-2"));
        assert_eq!(it.get_str("slug").unwrap(), format!("my-data-renamed-{SLUG}-2"));
    }

    #[test]
    fn a_long_name_that_is_taken_keeps_its_end() {
        let old = format!("{}é", "a".repeat(99));
        let (it, _) = named(doc! { "_id": 9, "name": &old }, &[(&old, "x")]);
        let name = it.get_str("name").unwrap();
        assert_eq!(name, format!("{}é-RENAMED-{STAMP}", "a".repeat(71)));
        assert_eq!(name.chars().count(), 100);
    }

    #[test]
    fn its_own_name_is_not_taken() {
        let (it, _) = named(doc! { "_id": 1, "name": "x" }, &[("x", "x")]);
        assert_eq!(it, doc! { "_id": 1, "name": "x", "slug": "x" });
    }

    #[test]
    fn a_slug_that_is_there_stays() {
        let there = doc! {
            "name": "!!!", "slug": Bson::Null, "description": Bson::Null, "saved_views": [],
        };
        becomes(super::super::REVISION.up, there.clone(), there);
    }
}
