//! Datasets as lines of a table that other programs read.

use super::{DatasetRow, Outlook, time_of};
use crate::csv;

/// The first line of such a table.
pub const CSV_HEAD: &str = "id,name,version,state,migration,revisions,reason,media_type,samples,fields,bytes,persistent,made_for,tags,created,modified\r\n";

impl DatasetRow {
    /// The dataset as a line of it.
    pub fn csv(&self) -> String {
        let number = |it: Option<u64>| it.map(|it| it.to_string()).unwrap_or_default();
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        let time = |it: Option<i64>| it.map(time_of).unwrap_or_default();
        let (migration, revisions, reason) = match &self.outlook {
            Outlook::Unknown => ("not looked at yet", None, ""),
            Outlook::Stays => ("nothing to do", None, ""),
            Outlook::Stamp => ("only gets a new version", None, ""),
            Outlook::Crosses { revisions } => ("crosses revisions", Some(*revisions), ""),
            Outlook::Blocked { reason } => ("is blocked", None, reason.as_str()),
        };
        let cells = [
            self.id.clone(),
            text(&self.name),
            text(&self.version),
            self.state.to_string(),
            migration.to_owned(),
            number(revisions),
            reason.to_owned(),
            text(&self.media_type),
            number(self.samples),
            self.fields.to_string(),
            self.bytes.to_string(),
            super::yes(self.persistent).to_owned(),
            self.made_for.map(|it| it.word().to_owned()).unwrap_or_default(),
            self.tags.join(";"),
            time(self.created_ms),
            time(self.modified_ms),
        ];
        csv::line(cells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_cell_for_each_word_of_the_head() {
        let row = DatasetRow {
            id: "64f0".into(),
            name: Some("cats, \"small\"".into()),
            version: Some("0.18.0".into()),
            tags: vec!["a".into(), "b".into()],
            samples: Some(12),
            modified_ms: Some(0),
            outlook: Outlook::Crosses { revisions: 3 },
            ..DatasetRow::default()
        };
        assert_eq!(
            row.csv(),
            "64f0,\"cats, \"\"small\"\"\",0.18.0,up to date,crosses revisions,3,,,12,0,0,no,,\"a;b\",,1970-01-01T00:00:00.000Z\r\n"
        );
        assert_eq!(DatasetRow::default().csv().matches(',').count(), CSV_HEAD.matches(',').count());
    }
}
