//! `--info`: the versions, as FiftyOne Enterprise prints them, of any database at any version.

use std::process::ExitCode;

use engine::{Engine, Entry};
use serde_json::json;
use tabled::{
    builder::Builder,
    settings::{Padding, Style, object::Columns, style::HorizontalLine},
};

use super::Output;

/// Prints the status of the deployment, or the bare versions of some datasets.
pub async fn info(engine: &Engine, names: &[String], output: Output) -> ExitCode {
    let (status, entries) = match engine.status_and_datasets().await {
        Ok(read) => read,
        Err(error) => return output.error(&error.to_string()),
    };
    if !names.is_empty() {
        return versions(names, &entries, output);
    }
    let inferred = if status.enterprise_version.stated { "" } else { " (inferred)" };
    output.line(&format!(
        "FiftyOne Enterprise version: {}{inferred}",
        status.enterprise_version.version
    ));
    output.line("");
    output.line(&format!("FiftyOne compatibility version: {}", status.compatibility_version));
    output.line(&format!("Other compatible versions: {}", status.other_compatible_versions));
    output.line("");
    let version = status.database_version.as_deref().unwrap_or("none yet");
    output.line(&format!("Database version: {version}"));
    if !entries.is_empty() {
        output.line("");
        output.line(&table(&entries));
    }
    let datasets: Vec<_> = entries.iter().map(dataset).collect();
    output.document(&json!({
        "enterprise_version": status.enterprise_version,
        "compatibility_version": status.compatibility_version,
        "other_compatible_versions": status.other_compatible_versions,
        "database": status.database,
        "database_version": status.database_version,
        "mongodb_version": status.mongodb_version,
        "database_admin": status.database_admin,
        "verdict": status.verdict,
        "datasets": datasets,
    }));
    ExitCode::SUCCESS
}

/// One bare version per line, in the order asked for.
fn versions(names: &[String], entries: &[Entry], output: Output) -> ExitCode {
    let mut found = Vec::new();
    for name in names {
        match entries.iter().find(|it| it.name.as_ref() == Some(name)) {
            Some(entry) => found.push(entry),
            None => {
                return output.error(&engine::Error::unknown_dataset(name, entries).to_string());
            }
        }
    }
    for entry in &found {
        output.line(&version(entry).unwrap_or_else(|| "None".to_owned()));
    }
    output.document(&found.iter().map(|it| dataset(it)).collect::<Vec<_>>());
    ExitCode::SUCCESS
}

fn dataset(entry: &Entry) -> serde_json::Value {
    json!({ "name": entry.name, "label": entry.label(), "version": version(entry) })
}

fn table(entries: &[Entry]) -> String {
    let mut rows = Builder::default();
    // As wide as FiftyOne makes them when all names are short.
    rows.push_record(["dataset  ", "version  "]);
    for entry in entries {
        rows.push_record([entry.label(), version(entry).unwrap_or_default()]);
    }
    let mut table = rows.build();
    let rule = HorizontalLine::new('-').intersection(' ');
    table.with(Style::empty().vertical(' ').horizontals([(1, rule)])).with(Padding::zero());
    table.modify(Columns::first(), Padding::new(0, 1, 0, 0));
    let table = table.to_string();
    let lines = table.lines().enumerate().map(|(number, it)| match number {
        // The rule does not run on between the columns.
        1 => it.replacen("- -", "  -", 1),
        _ => it.trim_end().to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn version(entry: &Entry) -> Option<String> {
    match &entry.version {
        version if version.as_null().is_some() => None,
        version => Some(version.as_str().map_or_else(|| version.to_string(), str::to_owned)),
    }
}
