//! `export`: a dataset as a folder that FiftyOne imports.

use std::process::ExitCode;

use engine::{Engine, ExportMedia, ExportProgress, ExportRequest};
use model::{Action, ExportReport, words};
use serde_json::json;

use super::{Beside, ExportArgs, MediaArg, Output, console::permit};

/// Writes the export and says what is in it.
pub async fn export(engine: &Engine, args: &ExportArgs, output: Output) -> ExitCode {
    match carried_out(engine, args).await {
        Ok(report) => {
            output.line(&format!(
                "`{}` at {} is exported to {}: {}, {}, {}",
                report.name,
                report.version,
                args.folder.display(),
                words::counted(report.samples, "sample"),
                words::counted(report.frames, "frame"),
                words::counted(report.media, "file"),
            ));
            if report.temporal_tags > 0 {
                output.line(&format!("  {}", words::counted(report.temporal_tags, "temporal tag")));
            }
            report.warnings.iter().for_each(|it| output.warning(it));
            output.document(&json!({ "report": report }));
            ExitCode::SUCCESS
        }
        Err(error) => output.error(&error.to_string()),
    }
}

async fn carried_out(engine: &Engine, args: &ExportArgs) -> engine::Result<ExportReport> {
    let permit = permit(Action::ExportDataset)?;
    let request = ExportRequest {
        dataset: engine.dataset_id(&args.dataset).await?,
        folder: args.folder.clone(),
        media: match args.media {
            MediaArg::None => ExportMedia::Left,
            MediaArg::Copy => ExportMedia::Copied,
            MediaArg::Link => ExportMedia::Linked,
        },
        along: Beside::along(&args.without),
    };
    let progress = ExportProgress::default();
    let stopped = progress.clone();
    let interrupted = tokio::spawn(async move {
        crate::signal::asked_to_end().await;
        stopped.stop();
    });
    let done = engine.export(&permit, &request, &progress).await;
    interrupted.abort();
    done
}
