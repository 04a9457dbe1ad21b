//! What a dataset is called in URLs.

/// How many characters a name can have, and so a slug.
pub(super) const LENGTH: usize = 100;

/// The slug of a name: its ASCII letters and digits in lower case, and single hyphens for what separates
/// them. `None` if nothing is left, or the name is too long.
pub(super) fn slug(name: &str) -> Option<String> {
    if name.chars().count() > LENGTH {
        return None;
    }
    let mut slug = String::new();
    for it in name.chars() {
        match it {
            'a'..='z' | 'A'..='Z' | '0'..='9' => slug.push(it.to_ascii_lowercase()),
            ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c' | '+' | '_' | '.' | '-'
                if !slug.ends_with('-') =>
            {
                slug.push('-');
            }
            _ => {}
        }
    }
    let slug = slug.trim_matches('-');
    (!slug.is_empty()).then(|| slug.to_owned())
}

/// The first characters of a name, as many as it can have.
pub(super) fn beginning(name: &str) -> String {
    name.chars().take(LENGTH).collect()
}

/// The last characters of a name, as many as it can have.
pub(super) fn end(name: &str) -> String {
    name.chars().skip(name.chars().count().saturating_sub(LENGTH)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_digits_stay_and_what_separates_them_becomes_one_hyphen() {
        let cases = [
            ("quickstart", "quickstart"),
            ("My Data_2.0+x", "my-data-2-0-x"),
            ("a - \t\n\r\x0b\x0c b", "a-b"),
            ("-._a_.-", "a"),
            ("a!?-(b)", "a-b"),
            ("a-é-b", "a-b"),
            ("Größe 5 µm", "gre-5-m"),
            ("日本 2024", "2024"),
            ("a\u{a0}b\u{2003}c", "abc"),
            ("İK", "k"),
        ];
        for (name, expected) in cases {
            assert_eq!(slug(name).as_deref(), Some(expected), "{name:?}");
        }
    }

    #[test]
    fn some_names_have_no_slug() {
        for name in ["", " ", "!!!", "日本語", "-_-", "٣"] {
            assert_eq!(slug(name), None, "{name:?}");
        }
        assert_eq!(slug(&"é".repeat(101)), None);
        assert_eq!(slug(&"a".repeat(101)), None);
        assert_eq!(slug(&"a".repeat(100)).map(|it| it.len()), Some(100));
    }

    #[test]
    fn names_are_cut_by_characters_not_bytes() {
        let name = format!("{}{}", "é".repeat(100), "b".repeat(2));
        assert_eq!(beginning(&name), "é".repeat(100));
        assert_eq!(end(&name), format!("{}bb", "é".repeat(98)));
        assert_eq!((beginning("a"), end("a")), ("a".to_owned(), "a".to_owned()));
    }
}
