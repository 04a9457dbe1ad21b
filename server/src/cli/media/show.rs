//! How far it is, where a person watches; and stopping it.

use std::time::Duration;

use engine::{Meter, TransferPhase, TransferProgress};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use tokio::task::JoinSet;

use crate::cli::Output;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(250);

/// Shows how far it is, and stops it when that is asked for, as long as this lives.
pub struct Shown(JoinSet<()>);

impl Shown {
    /// Begins to. `meter`: of what is stopped beside.
    pub fn begin(progress: &TransferProgress, meter: Option<Meter>, output: Output) -> Self {
        let mut tasks = JoinSet::new();
        let stopped = progress.clone();
        tasks.spawn(async move {
            crate::signal::asked_to_end().await;
            output.warning("stopping; the same again goes on where it was ...");
            stopped.throttle.stop();
            if let Some(it) = meter {
                it.stop();
            }
        });
        if output.is_watched() {
            tasks.spawn(show(progress.clone()));
        }
        Self(tasks)
    }

    /// Ends it.
    pub fn end(mut self) {
        self.0.abort_all();
    }
}

async fn show(progress: TransferProgress) {
    let bar = ProgressBar::new(0);
    let known = ProgressStyle::with_template("{msg} {wide_bar} {percent}% ({elapsed}, {eta} left)");
    let unknown = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
    let style = |it: Result<ProgressStyle, _>| {
        it.unwrap_or_else(|_: indicatif::style::TemplateError| ProgressStyle::default_bar())
    };
    let (known, unknown) = (style(known), style(unknown));
    let mut phase = None;
    loop {
        let now = progress.phase();
        if phase.replace(now) != Some(now) {
            bar.reset();
        }
        let ((files, of), (bytes, of_bytes)) = (progress.files(), progress.bytes());
        bar.set_style(if of > 0 { known.clone() } else { unknown.clone() });
        let mut text = match now {
            TransferPhase::Looking => format!("{files} looked at"),
            TransferPhase::Uploading => {
                bar.set_length(of_bytes.max(1));
                // What is being sent counts as far as it is.
                bar.set_position(bytes.max(progress.throttle.sent().min(of_bytes)));
                format!("{files} of {of} files, {} of {}", HumanBytes(bytes), HumanBytes(of_bytes))
            }
            TransferPhase::Verifying => {
                bar.set_length(of.max(1));
                bar.set_position(files);
                format!("{files} of {of} verified")
            }
            TransferPhase::Rewriting => format!("{files} rewritten"),
            TransferPhase::Removing => format!("{files} removed"),
        };
        if progress.failed() > 0 {
            text = format!("{text}, {} failed", progress.failed());
        }
        bar.set_message(text);
        bar.tick();
        tokio::time::sleep(LOOK).await;
    }
}
