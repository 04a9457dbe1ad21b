//! Why a dataset cannot cross a revision.
//!
//! Whenever one of these exists, nothing has been written.

use model::Version;

/// The reason alone, as a revision gives it: lower case, no full stop, says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Reason(String);

impl Reason {
    /// A reason in the revision's own words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The reason together with the dataset and the revision it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("dataset `{dataset}` cannot cross v{version}: {reason}")]
pub struct Refusal {
    /// The dataset's name, or its id where it has none.
    pub dataset: String,
    /// The revision it cannot cross.
    pub version: Version,
    /// Why, and what to do about it.
    pub reason: Reason,
}
