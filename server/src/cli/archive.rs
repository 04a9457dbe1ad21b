//! `archive`: what downgrades have dropped and the archive keeps, and dropping some of it.

use std::process::ExitCode;

use engine::{ArchiveState, ArchiveSummary, Engine};
use indicatif::HumanBytes;
use model::Action;

use super::{ArchiveArgs, ArchiveCommand, Output, console::permit, migrate};
use crate::settings::Settings;

/// Lists or drops, as asked.
pub async fn archive(
    engine: &Engine,
    settings: &Settings,
    args: &ArchiveArgs,
    output: Output,
) -> ExitCode {
    let done = match &args.command {
        None => list(engine, output).await,
        Some(ArchiveCommand::Forget { .. }) if settings.migrations_disabled => {
            return output.error(migrate::DISABLED);
        }
        Some(ArchiveCommand::Forget { dataset, .. }) => {
            forget(engine, dataset.as_deref(), output).await
        }
    };
    done.unwrap_or_else(|error| output.error(&error.to_string()))
}

async fn list(engine: &Engine, output: Output) -> engine::Result<ExitCode> {
    let entries = engine.archive().await?;
    output.document(&entries);
    if entries.is_empty() {
        output.line("The archive is empty: no dataset of this database waits for anything");
    }
    for it in &entries {
        show(it, output);
    }
    Ok(ExitCode::SUCCESS)
}

async fn forget(
    engine: &Engine,
    dataset: Option<&str>,
    output: Output,
) -> engine::Result<ExitCode> {
    let dropped = engine.forget_archive(&permit(Action::UndoRuns)?, dataset).await?;
    output.document(&dropped);
    for it in &dropped {
        output.line(&format!("Dropped what was kept for {}", name(it)));
    }
    if dropped.is_empty() {
        output.line("The archive has nothing of datasets that were deleted");
    }
    Ok(ExitCode::SUCCESS)
}

fn show(it: &ArchiveSummary, output: Output) {
    let version = |it: &Option<String>| it.as_ref().map_or("?".to_owned(), |it| format!("v{it}"));
    let when = it.archived.as_deref().unwrap_or("at a time that is not known");
    let size = HumanBytes(u64::try_from(it.bytes).unwrap_or(0));
    let (from, to) = (version(&it.from), version(&it.to));
    let state = match it.state {
        ArchiveState::Waits if it.at == it.to => "is given back on the way up".to_owned(),
        ArchiveState::Waits => format!("given back up to {}", version(&it.at)),
        ArchiveState::GivenBack => "was given back".to_owned(),
        ArchiveState::NotNeeded => "the dataset did not go down; nothing is given back".to_owned(),
        ArchiveState::DatasetGone => {
            "the dataset was deleted; `fiftyone-migrate archive forget --all-gone` drops it"
                .to_owned()
        }
        ArchiveState::Unreadable => format!(
            "cannot be read ({}); `fiftyone-migrate archive forget {}` drops it",
            it.reason.as_deref().unwrap_or_default(),
            name(it)
        ),
    };
    output.line(&format!("{}: {from} -> {to}, {when}, {size}; {state}", name(it)));
    if !it.what.is_empty() {
        output.line(&format!("  keeps {}", it.what.join(", ")));
    }
    for conflict in &it.conflicts {
        output.line(&format!(
            "  conflict at {}: {} stays; the archive has {}",
            engine::printable(&conflict.path),
            conflict.here,
            conflict.archived
        ));
    }
}

fn name(it: &ArchiveSummary) -> String {
    it.name.as_deref().map_or_else(|| it.dataset.clone(), engine::printable)
}
