//! A place with gaps: `{dataset}/{field}/{path}`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A template of places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    parts: Vec<Part>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Gap(Gap),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    Path,
    Folder,
    Name,
    Stem,
    Ext,
    Field,
    Dataset,
}

const GAPS: &[(&str, Gap)] = &[
    ("path", Gap::Path),
    ("folder", Gap::Folder),
    ("name", Gap::Name),
    ("stem", Gap::Stem),
    ("ext", Gap::Ext),
    ("field", Gap::Field),
    ("dataset", Gap::Dataset),
];

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no template: {reason}; there are {{path}} and {{folder}} below the root, {{name}}, {{stem}}, {{ext}}, \
     {{field}} and {{dataset}}, as in `{{dataset}}/{{field}}/{{path}}`"
)]
pub struct BadTemplate {
    text: String,
    reason: String,
}

impl Template {
    /// Whether it asks for something that only files below the root have.
    pub fn needs_root(&self) -> bool {
        self.parts.iter().any(|it| matches!(it, Part::Gap(Gap::Path | Gap::Folder)))
    }

    /// The place of the file that is at `inside`, below the root.
    pub fn fill(&self, inside: &str, field: &str, dataset: &str) -> String {
        let (folder, name) = inside.rsplit_once('/').unwrap_or(("", inside));
        let (stem, ext) = match name.rsplit_once('.') {
            Some((stem, ext)) if !stem.is_empty() => (stem, ext),
            _ => (name, ""),
        };
        let gap = |gap: Gap| match gap {
            Gap::Path => inside.to_owned(),
            Gap::Folder => folder.to_owned(),
            Gap::Name => name.to_owned(),
            Gap::Stem => stem.to_owned(),
            Gap::Ext => ext.to_owned(),
            Gap::Field => field.to_owned(),
            // A name is no path.
            Gap::Dataset => dataset.replace('/', "-"),
        };
        let text = |it: &Part| match it {
            Part::Text(text) => text.clone(),
            Part::Gap(it) => gap(*it),
        };
        self.parts.iter().map(text).collect()
    }
}

impl FromStr for Template {
    type Err = BadTemplate;

    fn from_str(text: &str) -> Result<Self, BadTemplate> {
        let bad = |reason: String| BadTemplate { text: text.to_owned(), reason };
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, left) =
                after.split_once('}').ok_or_else(|| bad("a `{` is not closed".to_owned()))?;
            let gap = GAPS.iter().find(|(it, _)| *it == name).map(|(_, gap)| *gap);
            let gap = gap.ok_or_else(|| bad(format!("`{{{name}}}` is not known")))?;
            parts.extend([Part::Text(before.to_owned()), Part::Gap(gap)]);
            rest = left;
        }
        parts.push(Part::Text(rest.to_owned()));
        let names = |it: &Part| matches!(it, Part::Gap(Gap::Path | Gap::Name | Gap::Stem));
        if !parts.iter().any(names) {
            return Err(bad("all files would have the same place".to_owned()));
        }
        if parts.iter().any(|it| matches!(it, Part::Text(text) if text.contains('}'))) {
            return Err(bad("a `}` closes nothing".to_owned()));
        }
        Ok(Self { parts, text: text.to_owned() })
    }
}

impl TryFrom<String> for Template {
    type Error = BadTemplate;

    fn try_from(text: String) -> Result<Self, BadTemplate> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_template_is_told_with_what_there_is() {
        for (text, reason) in [
            ("{dataset", "a `{` is not closed"),
            ("{what}/{name}", "`{what}` is not known"),
            ("{dataset}/{field}", "all files would have the same place"),
            ("name}{name}", "a `}` closes nothing"),
        ] {
            let error = text.parse::<Template>().unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("{path}"), "{error}");
        }
    }

    #[test]
    fn it_is_written_as_it_was_read_and_fills_its_gaps() {
        let template: Template = "{dataset}-{stem}.{ext}".parse().unwrap();
        assert_eq!(template.to_string(), "{dataset}-{stem}.{ext}");
        assert_eq!(template.fill("a/.hidden", "f", "d"), "d-.hidden.");
        assert!(!template.needs_root());
    }
}
