//! A deployment at a glance: what the first page says.

use serde::{Deserialize, Serialize};

use crate::{RunFrame, Tone, VersionCount};

/// What there is to see of a deployment at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Glance {
    /// Whether a run goes on, so that it is worth looking again soon.
    pub goes_on: bool,
    /// What follows from all of it.
    pub headline: Headline,
    /// Which version everything is at: Enterprise, compatibility, database, datasets.
    pub ladder: Vec<Fact>,
    /// How many datasets have which version.
    pub datasets: Vec<VersionCount>,
    /// What it runs on.
    pub deployment: Vec<Fact>,
    /// The newest runs, newest first; none for those who may not see runs.
    pub runs: Vec<RunFrame>,
    /// Whether whoever looks may see which datasets there are.
    pub browses: bool,
}

/// One sentence of verdict, and what there is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headline {
    /// How urgent it is.
    pub tone: Tone,
    /// In a few words, for example `Running: 41 %`.
    pub word: String,
    /// One sentence for a person.
    pub sentence: String,
    /// What whoever looks can do about it, most urgent first.
    pub todos: Vec<Todo>,
}

/// A name with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Of what.
    pub name: String,
    /// What there is now.
    pub value: String,
    /// What it can become.
    pub goal: Option<String>,
    /// What else there is to say.
    pub note: Option<String>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Todo {
    /// What its button says.
    pub button: String,
    /// Where it leads.
    pub address: String,
}
