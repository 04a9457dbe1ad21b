//! The log of a run as a page of its own, and the addresses of its parts.

use serde::{Deserialize, Serialize};

use crate::{LogLine, plan::encoded};

/// How many lines are on one page.
pub const LINES_ON_PAGE: u64 = 200;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedLine {
    /// Its number in the whole log, from 1; it never becomes another.
    pub number: u64,
    /// What it says.
    pub line: LogLine,
}

/// A page of the log of a run, the newest lines first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    /// The id of the run.
    pub run: String,
    /// What was asked for, in words.
    pub asked: String,
    /// Where to.
    pub destination: String,
    /// What is looked for; empty if all lines are shown.
    pub words: String,
    /// Which page it is, from 1.
    pub page: u64,
    /// How many lines there are of those that are looked for.
    pub found: u64,
    /// How many there are in all.
    pub all: u64,
    /// The line that was asked for.
    pub line: Option<u64>,
    /// The lines.
    pub lines: Vec<NumberedLine>,
}

impl LogPage {
    /// How many pages there are: at least one.
    pub fn pages(&self) -> u64 {
        self.found.div_ceil(LINES_ON_PAGE).max(1)
    }

    /// The address of another page of the same.
    pub fn address(&self, page: u64) -> String {
        let words = if self.words.is_empty() {
            String::new()
        } else {
            format!("q={}&", encoded(&self.words))
        };
        format!("/runs/{}/log?{words}page={page}", self.run)
    }

    /// The address of a line, where it stands among all others.
    pub fn line_address(&self, number: u64) -> String {
        format!("/runs/{}/log?line={number}#line-{number}", self.run)
    }

    /// The address of all the lines that are looked for, as a file.
    pub fn file(&self) -> String {
        let words = if self.words.is_empty() {
            String::new()
        } else {
            format!("?q={}", encoded(&self.words))
        };
        format!("/api/runs/{}/log.txt{words}", self.run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(words: &str, found: u64) -> LogPage {
        LogPage {
            run: "7".into(),
            asked: "the database".into(),
            destination: "1.22.1".into(),
            words: words.into(),
            page: 1,
            found,
            all: found,
            line: None,
            lines: Vec::new(),
        }
    }

    #[test]
    fn an_address_keeps_what_is_looked_for_and_a_line_stands_among_all() {
        let page = page("a&b ü", 1);
        assert_eq!(page.address(2), "/runs/7/log?q=a%26b%20%C3%BC&page=2");
        assert_eq!(page.file(), "/api/runs/7/log.txt?q=a%26b%20%C3%BC");
        assert_eq!(page.line_address(9), "/runs/7/log?line=9#line-9");
    }

    #[test]
    fn there_is_a_page_even_where_there_are_no_lines() {
        assert_eq!([0, 1, 200, 201].map(|it| page("", it).pages()), [1, 1, 1, 2]);
        assert_eq!(page("", 1).address(1), "/runs/7/log?page=1");
        assert_eq!(page("", 1).file(), "/api/runs/7/log.txt");
    }
}
