//! What a run did, as files that people take away.

use super::{RunDataset, RunMoment};
use crate::{LogLine, csv};

/// The first line of the table of a run's datasets.
pub const RUN_CSV_HEAD: &str = "id,name,state,from,to,cause,reason,documents\r\n";

impl RunDataset {
    /// The dataset as a line of it.
    pub fn csv(&self) -> String {
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        csv::line([
            self.id.clone(),
            self.name.clone(),
            self.state.clone(),
            text(&self.head),
            text(&self.destination),
            self.cause.map(|it| it.word().to_owned()).unwrap_or_default(),
            text(&self.reason),
            self.documents.to_string(),
        ])
    }
}

impl LogLine {
    /// The sentence as a line of a log: `2026-01-02T03:04:05Z ada@lab: begins`.
    pub fn line(&self) -> String {
        let text = self.text.replace(['\r', '\n'], " ");
        format!("{} {}: {text}\n", self.at, self.by)
    }
}

impl From<LogLine> for RunMoment {
    fn from(LogLine { at, by, text }: LogLine) -> Self {
        Self { at, mark: "line".to_owned(), first: by, then: text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cause;

    #[test]
    fn a_dataset_has_a_cell_for_each_word_of_the_head() {
        let dataset = RunDataset {
            id: "64f0".into(),
            name: "=cats, small".into(),
            state: "refused".into(),
            head: Some("0.18.0".into()),
            destination: Some("1.22.1".into()),
            cause: Some(Cause::Blocked),
            reason: None,
            documents: 12,
            ahead: 0,
        };
        assert_eq!(dataset.csv(), "64f0,\"'=cats, small\",refused,0.18.0,1.22.1,blocked,,12\r\n");
        assert_eq!(RUN_CSV_HEAD.matches(',').count(), 7);
    }

    #[test]
    fn a_sentence_of_the_log_is_one_line() {
        let line = LogLine { at: "2026".into(), by: "ada".into(), text: "is\nfailed".into() };
        assert_eq!(line.line(), "2026 ada: is failed\n");
    }
}
