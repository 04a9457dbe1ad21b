//! Versions as FiftyOne writes them, and the direction between two of them.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A compatibility version: `major.minor.patch`, ordered numerically.
///
/// Parsing is as lenient as the Python client is: missing parts read as zero (`"0.0"` is
/// `0.0.0`) and pre-release, dev and local suffixes are dropped (`"1.4.0rc1"` is `1.4.0`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(semver::Version);

/// Which way a migration moves along the revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Up,
    Down,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version; expected something like `1.4.0`")]
pub struct InvalidVersion(String);

impl Version {
    /// A version by its three numbers.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self(semver::Version::new(major, minor, patch))
    }

    /// The first number.
    pub const fn major(&self) -> u64 {
        self.0.major
    }

    /// The second number.
    pub const fn minor(&self) -> u64 {
        self.0.minor
    }

    /// The third number.
    pub const fn patch(&self) -> u64 {
        self.0.patch
    }
}

impl Direction {
    /// The direction from `head` to `destination`; `None` when they are the same.
    pub fn between(head: &Version, destination: &Version) -> Option<Self> {
        match destination.cmp(head) {
            Ordering::Greater => Some(Self::Up),
            Ordering::Less => Some(Self::Down),
            Ordering::Equal => None,
        }
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let invalid = || InvalidVersion(text.to_owned());
        let release: &str = {
            let text = text.trim().trim_start_matches('v');
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
            text[..end].trim_end_matches('.')
        };
        let mut parts = [0; 3];
        for (index, digits) in release.split('.').enumerate() {
            *parts.get_mut(index).ok_or_else(invalid)? = digits.parse().map_err(|_| invalid())?;
        }
        Ok(Self::new(parts[0], parts[1], parts[2]))
    }
}

impl TryFrom<String> for Version {
    type Error = InvalidVersion;

    fn try_from(text: String) -> Result<Self, InvalidVersion> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_the_python_client_writes() {
        for (text, expected) in [
            ("0.0", Version::new(0, 0, 0)),
            ("1.4.0", Version::new(1, 4, 0)),
            ("1.4.0rc1", Version::new(1, 4, 0)),
            ("0.15.0.dev3", Version::new(0, 15, 0)),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert!("".parse::<Version>().is_err());
        assert!("latest".parse::<Version>().is_err());
    }
}
