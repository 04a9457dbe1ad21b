//! Figures in words: what is expected of a run, and how far its datasets are.

use engine::{DatasetReport, Estimate, FailureGroup, Figures};
use indicatif::{HumanBytes, HumanCount};
use model::words::amount;

use super::{Output, migrate};

/// What a run has to do, what it needs and how long it takes.
pub fn estimate(it: &Estimate, output: Output) {
    let what = migrate::datasets(usize::try_from(it.datasets).unwrap_or(usize::MAX));
    output.line(&format!(
        "To do: {what}, {} samples and frames of {}{}",
        amount(it.documents, |it| HumanCount(it).to_string()),
        amount(it.bytes, bytes),
        counted(it)
    ));
    let mut disk = Vec::new();
    if let Some(journal) = it.journal_bytes.filter(|it| it.most > 0) {
        disk.push(format!("{} for the undo journal", amount(journal, bytes)));
    }
    if it.bytes.most > 0 {
        disk.push(format!(
            "up to {} until the server gives the place of what was changed away",
            bytes(it.bytes.most)
        ));
    }
    if let Some(oplog) = it.oplog_bytes.filter(|it| it.most > 0) {
        disk.push(format!("{} go through the oplog", amount(oplog, bytes)));
    }
    if !disk.is_empty() {
        output.line(&format!(
            "Disk: {} more, before compression: {}",
            amount(it.disk_bytes(), bytes),
            disk.join(", ")
        ));
    }
    output.line(&format!("Time: {}, {}", it.time, it.basis));
}

/// How it was counted, if not everything was.
fn counted(it: &Estimate) -> String {
    let (counted, all) = it.counted;
    if counted == all {
        return String::new();
    }
    format!(", judging by {} of {} collections", HumanCount(counted), HumanCount(all))
}

fn bytes(count: u64) -> String {
    HumanBytes(count).to_string()
}

/// One line for each group of failures.
pub fn groups(groups: &[FailureGroup]) -> impl Iterator<Item = String> {
    groups.iter().map(|it| format!("  {it}"))
}

/// How far a dataset is, and when.
pub fn dataset(it: &DatasetReport) -> String {
    let Figures { documents, ahead, bytes: written, started, ended, last_write } = &it.figures;
    let mut words = vec![format!("{} samples and frames", HumanCount(*documents))];
    if *ahead > 0 {
        words.push(format!("about {} ahead", HumanCount(*ahead)));
    }
    if *written > 0 {
        words.push(format!("about {} written", bytes(*written)));
    }
    let times = [("begun", started), ("ended", ended), ("last write", last_write)];
    for (what, time) in times {
        if let Some(time) = time {
            words.push(format!("{what} {time}"));
        }
    }
    words.join(", ")
}
