//! The names that people sign in with.

/// How many characters a name has at most; e-mail addresses of people are shorter.
const LONGEST: usize = 64;

/// A name that an account can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// As it was typed, for people to see.
    pub(crate) shown: String,
    /// What the account is found by: there are no two that only differ in case.
    pub(crate) id: String,
}

/// Why something is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Nothing but spaces, or not even those.
    #[error("the name is empty; type a name or an e-mail address")]
    Empty,
    /// More than anybody wants to read.
    #[error("the name is too long; it may have 64 characters")]
    TooLong,
    /// What is not seen makes two names look the same.
    #[error("the name has characters that cannot be seen; type it with letters, digits and signs")]
    Invisible,
}

impl Name {
    /// Reads a name as a person types it.
    ///
    /// # Errors
    ///
    /// [`NameFault`] if no account can be called that.
    pub(crate) fn read(text: &str) -> Result<Self, NameFault> {
        let shown = text.trim();
        if shown.is_empty() {
            return Err(NameFault::Empty);
        }
        if shown.chars().count() > LONGEST {
            return Err(NameFault::TooLong);
        }
        if shown.chars().any(is_invisible) {
            return Err(NameFault::Invisible);
        }
        Ok(Self { shown: shown.to_owned(), id: id(shown) })
    }
}

/// What an account of this name is found by.
pub(crate) fn id(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Whether a character has no shape of its own, or changes the direction of others.
fn is_invisible(it: char) -> bool {
    let formats = ['\u{ad}', '\u{61c}', '\u{180e}', '\u{feff}'];
    it.is_control()
        || (it.is_whitespace() && it != ' ')
        || ('\u{200b}'..='\u{200f}').contains(&it)
        || ('\u{202a}'..='\u{202e}').contains(&it)
        || ('\u{2060}'..='\u{206f}').contains(&it)
        || formats.contains(&it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_it_was_typed_and_found_without_regard_to_case() {
        let name = Name::read("  Ada@Example.org ").unwrap();
        assert_eq!((name.shown.as_str(), name.id.as_str()), ("Ada@Example.org", "ada@example.org"));
        assert_eq!(Name::read("ÅSA").unwrap().id, Name::read("åsa").unwrap().id);
        assert_eq!(id(&name.id), name.id);
    }

    #[test]
    fn what_is_empty_too_long_or_cannot_be_seen_is_no_name() {
        assert_eq!(Name::read(" \t"), Err(NameFault::Empty));
        assert!(Name::read(&"ö".repeat(64)).is_ok());
        assert_eq!(Name::read(&"o".repeat(65)), Err(NameFault::TooLong));
        for text in ["a\0b", "a\nb", "a\u{200b}b", "\u{202e}ada", "ada\u{2060}lovelace"] {
            assert_eq!(Name::read(text), Err(NameFault::Invisible), "{text:?}");
        }
    }
}
