//! `upload-media`: the files of a dataset go elsewhere, and are verified there.

use std::{fs::File, io, path::Path, process::ExitCode};

use engine::{Engine, TransferProgress, UploadRequest};
use media::{
    Care,
    manifest::{Entry, HEADINGS},
};
use model::{Action, FileCount, MediaSurvey, UploadQuestion, UploadReport, words};
use serde_json::json;

use super::{TestArgs, UploadArgs, show::Shown};
use crate::cli::{
    Output,
    console::permit,
    output::{FAILED, INCOMPLETE},
};

/// Uploads, or says what would be.
pub async fn upload(engine: &Engine, args: &UploadArgs, output: Output) -> ExitCode {
    match carried_out(engine, args, output).await {
        Ok(code) => code,
        Err(error) => output.error(&error.to_string()),
    }
}

async fn carried_out(
    engine: &Engine,
    args: &UploadArgs,
    output: Output,
) -> engine::Result<ExitCode> {
    let permit = permit(Action::MoveMedia)?;
    let request = request(engine, args).await?;
    if args.set_limits {
        engine.limit_upload(&permit, &request).await?;
        output.line("The limits are changed; an upload that goes on keeps them within two seconds");
        output.document(&json!({ "limits": { "side_by_side": args.side_by_side, "bandwidth": args.bandwidth } }));
        return Ok(ExitCode::SUCCESS);
    }
    let progress = TransferProgress::new(request.side_by_side, request.bytes_per_second);
    let shown = Shown::begin(&progress, None, output);
    if args.dry_run {
        let survey = engine.survey_media(&permit, &request, &progress).await;
        shown.end();
        let survey = survey?;
        tell_survey(&survey, output);
        output.document(&json!({ "dry_run": true, "survey": survey }));
        return Ok(code(survey.blockers.is_empty(), survey.unplaced.is_empty()));
    }
    let done = engine.upload_media(&permit, &request, &progress).await;
    shown.end();
    if let Some(file) = &args.manifest {
        let written = manifest(engine, &request, file).await;
        // What went wrong before is said first.
        if done.is_ok() {
            written?;
        }
    }
    let report = done?;
    tell(&report, progress.throttle.is_stopped(), args.verify, output);
    output.document(&json!({ "dry_run": false, "report": report }));
    Ok(code(true, report.unplaced == 0 && (report.is_verified() || report.files() == 0)))
}

fn code(allowed: bool, complete: bool) -> ExitCode {
    match (allowed, complete) {
        (false, _) => ExitCode::from(FAILED),
        (true, false) => ExitCode::from(INCOMPLETE),
        (true, true) => ExitCode::SUCCESS,
    }
}

async fn request(engine: &Engine, args: &UploadArgs) -> engine::Result<UploadRequest> {
    let question = UploadQuestion {
        dataset: engine.dataset_id(&args.dataset).await?,
        to: args.destination.clone(),
        layout: args.layout.layout.clone(),
        root: args.layout.root.clone().unwrap_or_default(),
        on_collision: args.on_collision.word().to_owned(),
        fields: args.fields.fields.join(","),
    };
    Ok(UploadRequest {
        fields: args.fields.fields.clone(),
        overwrite: args.overwrite,
        side_by_side: args.side_by_side,
        bytes_per_second: args.bandwidth.saturating_mul(1 << 20),
        only: args.only,
        only_verify: args.verify,
        care: if args.read_back { Care::Every } else { Care::Known },
        ..UploadRequest::asked(&question)?
    })
}

async fn manifest(engine: &Engine, request: &UploadRequest, file: &Path) -> engine::Result<()> {
    let unwritable = |it: &dyn std::fmt::Display| {
        engine::Error::Refused(format!(
            "the manifest cannot be written to `{}`: {it}; name another file with `--manifest`",
            file.display()
        ))
    };
    let created = File::create(file).map_err(|it| unwritable(&it))?;
    let mut table = csv::Writer::from_writer(io::BufWriter::new(created));
    let mut written = table.write_record(HEADINGS);
    let permit = permit(Action::MoveMedia)?;
    let (dataset, to) = (request.dataset.as_str(), request.to.as_str());
    let page = |page: Vec<(Entry, String)>| {
        for (entry, path) in &page {
            if written.is_ok() {
                written = table.write_record(entry.cells(path));
            }
        }
        std::future::ready(written.is_ok())
    };
    engine.manifest_pages(&permit, dataset, to, page).await?;
    written.map_err(|it| unwritable(&it))?;
    table.flush().map_err(|it| unwritable(&it))
}

fn tell_survey(survey: &MediaSurvey, output: Output) {
    output.line(&format!(
        "`{}`: {}, {}, would go to {}, as they lie below {}",
        survey.name,
        words::counted(survey.files, "file"),
        words::bytes(survey.bytes),
        survey.destination,
        survey.root
    ));
    for it in &survey.fields {
        output.line(&format!(
            "  {}: {}, {} ({}){}",
            it.field,
            words::counted(it.paths, "path"),
            words::counted(it.files, "file"),
            words::bytes(it.bytes),
            if it.in_the_cloud > 0 {
                format!(", {} in the cloud already", words::count(it.in_the_cloud))
            } else {
                String::new()
            }
        ));
        if it.at_the_destination > 0 {
            output.line(&format!(
                "    {} at the destination already",
                words::counted(it.at_the_destination, "path")
            ));
        }
        for (from, to) in &it.examples {
            output.line(&format!("    {from} -> {to}"));
        }
        if it.missing > 0 {
            output.warning(&format!(
                "  {} not there, for example {}",
                words::either(it.missing, "file of this field is", "files of this field are"),
                it.missing_examples.join(", ")
            ));
        }
        if it.unreadable > 0 {
            output.warning(&format!(
                "  {} be read: {}",
                words::either(
                    it.unreadable,
                    "file of this field cannot",
                    "files of this field cannot"
                ),
                it.unreadable_examples.join("; ")
            ));
        }
        for (why, count) in &it.elsewhere {
            output.warning(&format!("  {}: {why}", words::counted(*count, "path")));
        }
        it.broken_scenes.iter().for_each(|it| output.warning(&format!("  {it}")));
    }
    for (why, count) in &survey.unplaced {
        output.warning(&format!("{} stays: {why}", words::counted(*count, "file")));
    }
    for (place, sources) in &survey.collisions {
        output.warning(&format!("{place} would be the place of {}", sources.join(", ")));
    }
    survey.blockers.iter().for_each(|it| output.warning(&format!("error: {it}")));
}

fn tell(report: &UploadReport, was_stopped: bool, was_verified: bool, output: Output) {
    let count = |it: &FileCount| {
        format!("{} ({})", words::counted(it.files, "file"), words::bytes(it.bytes))
    };
    output.line(&format!("`{}` at {}:", report.name, report.destination));
    output.line(&format!("  verified: {}", count(&report.verified)));
    if report.were_there > 0 {
        output.line(&format!("  of which there before: {}", words::count(report.were_there)));
    }
    let states = [
        ("removed here since", &report.cleaned),
        ("uploaded, not verified", &report.uploaded),
        ("not uploaded", &report.planned),
        ("failed", &report.failed),
    ];
    for (what, sum) in states.into_iter().filter(|(_, it)| it.files > 0) {
        output.line(&format!("  {what}: {}", count(sum)));
    }
    for it in &report.causes {
        output.warning(&format!(
            "  {} because of `{}`: {}",
            words::counted(it.files, "file"),
            it.cause,
            it.examples.join("; ")
        ));
    }
    if report.unlooked.files > 0 {
        output.warning(&format!(
            "  {} be looked at, so that it is not known whether it is still there: {}",
            words::either(report.unlooked.files, "file could not", "files could not"),
            report.unlooked_examples.join("; ")
        ));
    }
    if report.unplaced > 0 {
        output.warning(&format!(
            "  {} no place there; `--dry-run` says why",
            words::either(report.unplaced, "file has", "files have")
        ));
    }
    if was_stopped {
        output.warning("stopped; the same again goes on where it was");
    }
    if report.is_verified() && !was_verified {
        output.line(&format!(
            "Every file is there. Next: fiftyone-migrate rewrite-paths {:?} --uploaded {:?}",
            report.name, report.destination
        ));
    }
}

/// Tries whether media can be taken to a destination.
pub async fn test(engine: &Engine, args: &TestArgs, output: Output) -> ExitCode {
    let permit = match permit(Action::MoveMedia) {
        Ok(it) => it,
        Err(error) => return output.error(&error.to_string()),
    };
    match engine.test_destination(&permit, &args.destination).await {
        Ok(probe) => {
            for (what, fault) in &probe.steps {
                match fault {
                    None => output.line(&format!("  {what}: works")),
                    Some(why) => output.warning(&format!("  {what}: {why}")),
                }
            }
            output.document(&json!({ "test": probe }));
            if probe.is_good {
                output.line(&format!("Media can be taken to {}", probe.destination));
                return ExitCode::SUCCESS;
            }
            ExitCode::from(FAILED)
        }
        Err(error) => output.error(&error.to_string()),
    }
}
