//! Light or dark.

use serde::{Deserialize, Serialize};

/// How pages look to somebody, in this browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system prefers.
    #[default]
    System,
    /// Light, whatever the system prefers.
    Light,
    /// Dark, whatever the system prefers.
    Dark,
}

impl Theme {
    /// Every theme.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word in forms, cookies and styles.
    pub const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::System => "As the system prefers",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// The theme with this word; that of the system for all others.
    pub fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|it| it.word() == word).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_is_known_by_its_word_and_nothing_else_is_one() {
        assert!(Theme::ALL.into_iter().all(|it| Theme::of(it.word()) == it));
        assert_eq!(Theme::of("\"><script>"), Theme::System);
    }
}
