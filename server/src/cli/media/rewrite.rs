//! `rewrite-paths`: the paths of a dataset lead elsewhere, and can be brought back.

use std::{fs::File, process::ExitCode};

use engine::{Control, Engine, Error, RewriteRequest, RewriteWay, TransferProgress, UndonePaths};
use media::mapping::{Mapping, read_list};
use model::{Action, RewriteReport, words};
use serde_json::json;

use super::{RewriteArgs, show::Shown};
use crate::cli::{Output, console::permit, output::INCOMPLETE};

/// Rewrites, or says what would be.
pub async fn rewrite(engine: &Engine, args: &RewriteArgs, output: Output) -> ExitCode {
    let done = if args.list_undo {
        list(engine, args, output).await
    } else if let Some(id) = &args.undo {
        undo(engine, args, id, output).await
    } else {
        carried_out(engine, args, output).await
    };
    done.unwrap_or_else(|error| output.error(&error.to_string()))
}

async fn carried_out(
    engine: &Engine,
    args: &RewriteArgs,
    output: Output,
) -> engine::Result<ExitCode> {
    let permit = permit(Action::RewritePaths)?;
    let request = RewriteRequest {
        dataset: engine.dataset_id(&args.dataset).await?,
        fields: args.fields.fields.clone(),
        way: way(args)?,
        look_for: args.check,
    };
    let progress = TransferProgress::new(1, 0);
    let (control, meter, _events) = Control::new();
    let shown = Shown::begin(&progress, Some(meter), output);
    let done = if args.dry_run {
        engine.check_rewrite(&permit, &request, &progress).await
    } else {
        engine.rewrite_paths(&permit, &request, control, &progress).await
    };
    shown.end();
    let report = done?;
    tell(&report, args.dry_run, output);
    output.document(&json!({ "dry_run": args.dry_run, "report": report }));
    let meanwhile: u64 = report.fields.iter().map(|it| it.changed_meanwhile).sum();
    if meanwhile > 0 || !report.not_there.is_empty() {
        return Ok(ExitCode::from(INCOMPLETE));
    }
    Ok(ExitCode::SUCCESS)
}

fn way(args: &RewriteArgs) -> engine::Result<RewriteWay> {
    let to = args.to.clone().unwrap_or_default();
    if let Some(uploaded) = &args.uploaded {
        return Ok(RewriteWay::Uploaded(uploaded.clone()));
    }
    if let Some(from) = args.from.clone() {
        return Ok(RewriteWay::Ruled(Mapping::Prefix { from, to }));
    }
    if let Some(file) = &args.list {
        let name = file.display().to_string();
        let opened = File::open(file).map_err(|it| {
            Error::Refused(format!("`{name}` cannot be read: {it}; name another file"))
        })?;
        let list = read_list(opened, &name).map_err(Error::Refused)?;
        return Ok(RewriteWay::Ruled(Mapping::Listed(list)));
    }
    if let Some(text) = &args.layout {
        let root = args.root.clone().unwrap_or_else(|| "/".to_owned());
        let plan = engine::placed(text, root, args.dataset.clone())?;
        return Ok(RewriteWay::Ruled(Mapping::Placed { plan, to }));
    }
    Err(Error::Refused(
        "say what becomes of the paths: `--uploaded DESTINATION`, `--from FOLDER --to FOLDER`, `--list FILE`, or `--layout LAYOUT --to FOLDER`"
            .to_owned(),
    ))
}

fn tell(report: &RewriteReport, dry_run: bool, output: Output) {
    let what = if dry_run { "would be rewritten" } else { "rewritten" };
    output.line(&format!("`{}`:", report.name));
    for it in &report.fields {
        output.line(&format!("  {}: {} {what}", it.field, words::counted(it.rewritten, "path")));
        if it.already > 0 {
            output.line(&format!("    {} so already", words::count(it.already)));
        }
        if it.unmatched > 0 {
            output.line(&format!(
                "    {} not concerned, for example {}",
                words::count(it.unmatched),
                it.unmatched_examples.join(", ")
            ));
        }
        if it.changed_meanwhile > 0 {
            output.warning(&format!(
                "    {} somebody else changed at the same time, and stay; pause what writes to the dataset and run this again",
                words::counted(it.changed_meanwhile, "path")
            ));
        }
        for (from, to) in &it.examples {
            output.line(&format!("    {from} -> {to}"));
        }
    }
    report.not_there.iter().for_each(|it| output.warning(&format!("  {it}")));
    if let Some(id) = &report.id {
        output.line(&format!(
            "To bring them back: fiftyone-migrate rewrite-paths {:?} --undo {id}",
            report.name
        ));
    }
}

async fn undo(
    engine: &Engine,
    args: &RewriteArgs,
    id: &str,
    output: Output,
) -> engine::Result<ExitCode> {
    let permit = permit(Action::RewritePaths)?;
    let progress = TransferProgress::new(1, 0);
    let (control, meter, _events) = Control::new();
    let shown = Shown::begin(&progress, Some(meter), output);
    let mut all = UndonePaths::default();
    let fields: Vec<Option<&str>> = match args.fields.fields.as_slice() {
        [] => vec![None],
        some => some.iter().map(|it| Some(it.as_str())).collect(),
    };
    for field in fields {
        let done = engine.undo_rewrite(&permit, id, field, control.clone(), &progress).await?;
        all.name = done.name;
        all.restored += done.restored;
        all.changed_since += done.changed_since;
    }
    shown.end();
    output.line(&format!("`{}`: {} brought back", all.name, words::counted(all.restored, "path")));
    if all.changed_since > 0 {
        output.warning(&format!(
            "{} changed since, and left as they are",
            words::either(all.changed_since, "path was", "paths were")
        ));
    }
    output.document(&json!({ "undone": all }));
    Ok(ExitCode::SUCCESS)
}

async fn list(engine: &Engine, args: &RewriteArgs, output: Output) -> engine::Result<ExitCode> {
    let permit = permit(Action::RewritePaths)?;
    let id = engine.dataset_id(&args.dataset).await?;
    let found = engine.rewritings(&permit, &id).await?;
    if found.is_empty() {
        output.line("No paths of it were rewritten");
    }
    for (id, what) in &found {
        output.line(&format!("{id}  {what}"));
    }
    let rows: Vec<_> = found.iter().map(|(id, what)| json!({ "id": id, "what": what })).collect();
    output.document(&json!({ "rewritings": rows }));
    Ok(ExitCode::SUCCESS)
}
