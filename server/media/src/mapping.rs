//! Another path for a path: where media is already that nobody has to upload.

use std::{collections::HashMap, io::Read};

use model::media_path::{PathKind, rest_below};

use crate::layout::{Plan, Source};

/// How paths become others.
#[derive(Clone, Debug)]
pub enum Mapping {
    /// What is below one folder is below another.
    Prefix {
        /// The folder that paths are below.
        from: String,
        /// The folder that they shall be below.
        to: String,
    },
    /// As files would be laid out below a destination.
    Placed {
        /// The layout.
        plan: Plan,
        /// The destination.
        to: String,
    },
    /// Each as a list has it.
    Listed(HashMap<String, String>),
}

impl Mapping {
    /// What becomes of a path; `None` if nothing says. Applied twice it is applied once: what is below the new folder is there already,
    /// also where the new folder is below the old one.
    pub fn apply(&self, path: &str, field: &str) -> Option<String> {
        match self {
            Self::Prefix { to, .. } | Self::Placed { to, .. } if rest_below(to, path).is_some() => {
                Some(path.to_owned())
            }
            Self::Listed(list) => list.get(path).cloned(),
            Self::Prefix { from, to } => moved(path, from, to),
            Self::Placed { plan, to } => {
                let place = plan.place(Source { path, field }).ok()?;
                Some(format!("{}/{place}", to.trim_end_matches('/')))
            }
        }
    }
}

const SLASHES: [char; 2] = ['/', '\\'];

fn moved(path: &str, from: &str, to: &str) -> Option<String> {
    let rest = rest_below(from, path)?;
    let rest = if PathKind::of(from) == PathKind::Windows && PathKind::of(to) != PathKind::Windows {
        rest.replace('\\', "/")
    } else {
        rest.to_owned()
    };
    Some(format!("{}/{rest}", to.trim_end_matches(SLASHES)))
}

/// Reads a list of two columns, with or without a line of headings `from,to`.
///
/// # Errors
///
/// One sentence, if it is no such list.
pub fn read_list(from: impl Read, name: &str) -> Result<HashMap<String, String>, String> {
    let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(from);
    let mut list = HashMap::new();
    for (index, row) in rows.records().enumerate() {
        let line = index + 1;
        let row = row.map_err(|it| {
            format!("`{name}` cannot be read: {it}; it must be a CSV file of two columns")
        })?;
        let (Some(from), Some(to), None) = (row.get(0), row.get(1), row.get(2)) else {
            return Err(format!(
                "row {line} of `{name}` has {} columns; each must have two, the path as it is and as it shall be",
                row.len()
            ));
        };
        if line == 1 && (from, to) == ("from", "to") {
            continue;
        }
        if from.is_empty() || to.is_empty() {
            return Err(format!(
                "row {line} of `{name}` has an empty path; remove it, or give both"
            ));
        }
        if let Some(other) = list.insert(from.to_owned(), to.to_owned())
            && other != to
        {
            return Err(format!(
                "row {line} of `{name}` has `{from}` again, with another path; leave one of the two"
            ));
        }
    }
    if let Some((from, to)) =
        list.iter().find(|(from, to)| from != to && list.get(*to).is_some_and(|it| it != *to))
    {
        return Err(format!(
            "`{name}` has `{to}` both as what `{from}` becomes and as what becomes something else; the list could not be gone on \
             with if it were interrupted, so make two lists of it"
        ));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(from: &str, to: &str, path: &str) -> Option<String> {
        Mapping::Prefix { from: from.into(), to: to.into() }.apply(path, "filepath")
    }

    #[test]
    fn a_prefix_is_a_folder_and_not_a_part_of_a_name() {
        for (from, to) in [("/data", "s3://b"), ("/data/", "s3://b/")] {
            assert_eq!(prefix(from, to, "/data/a/1.png").as_deref(), Some("s3://b/a/1.png"));
            assert_eq!(prefix(from, to, "/database/1.png"), None);
            assert_eq!(prefix(from, to, "/data/"), None);
        }
        assert_eq!(prefix("s3://a", "/mnt", "s3://a/x.png").as_deref(), Some("/mnt/x.png"));
        assert_eq!(
            prefix("C:\\data", "gs://b", "C:\\data\\a\\1.png").as_deref(),
            Some("gs://b/a/1.png")
        );
        assert_eq!(prefix("/", "s3://b", "/a.png").as_deref(), Some("s3://b/a.png"));
    }

    #[test]
    fn whatever_was_applied_once_stays_when_it_is_applied_again() {
        for (from, to) in [("/data", "/data/moved"), ("/data", "s3://b"), ("/", "/mnt")] {
            let once = prefix(from, to, "/data/a.png").unwrap();
            assert_eq!(prefix(from, to, &once), Some(once));
        }
        let plan =
            Plan { layout: crate::layout::Layout::Keep, root: "/".into(), dataset: "x".into() };
        let placed = Mapping::Placed { plan, to: "/mnt".into() };
        let once = placed.apply("/data/a.png", "filepath").unwrap();
        assert_eq!(
            (once.as_str(), placed.apply(&once, "filepath").as_deref()),
            ("/mnt/data/a.png", Some("/mnt/data/a.png"))
        );
        let chain = read_list("/a,/b\n/b,/c\n".as_bytes(), "x").unwrap_err();
        assert!(chain.contains("two lists"), "{chain}");
        assert!(read_list("/a,/b\n/b,/b\n".as_bytes(), "x").is_ok());
    }

    #[test]
    fn a_list_is_taken_word_for_word() {
        let list = read_list(
            "from,to\n/a.png,s3://b/a.png\n\"/b,\"\"c\"\".png\",s3://b/c.png\n".as_bytes(),
            "x",
        );
        let mapping = Mapping::Listed(list.unwrap());
        assert_eq!(mapping.apply("/b,\"c\".png", "").as_deref(), Some("s3://b/c.png"));
        assert_eq!(mapping.apply("/A.png", ""), None);
        assert_eq!(mapping.apply("from", ""), None);
    }

    #[test]
    fn what_is_no_list_is_told_with_its_row() {
        for (text, part) in [
            ("/a\n", "has 1 columns"),
            ("/a,b,c\n", "has 3 columns"),
            ("/a,\n", "row 1 of `x` has an empty path"),
            ("/a,b\n/a,c\n", "row 2 of `x` has `/a` again"),
        ] {
            let error = read_list(text.as_bytes(), "x").unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(read_list("/a,b\n/a,b\n".as_bytes(), "x").unwrap().len(), 1);
    }
}
