//! The runs there are and were, and what people want of them.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{Cause, JobEvent, LogPage, RunFrame, RunPage};

use super::ApiError;

/// Reads the runs, newest first. Reading changes nothing.
#[server(endpoint = "runs", input = GetUrl)]
pub async fn shown_runs() -> Result<Vec<RunFrame>, ApiError> {
    let permit = super::gate::require(model::Action::ReadRuns)?;
    Ok(expect_context::<engine::Engine>().shown_runs(&permit).await?)
}

/// Reads one run with its datasets in one state, or with all. Reading changes nothing.
#[server(endpoint = "run", input = GetUrl)]
pub async fn shown_run(
    id: String,
    show: Option<String>, // absent where all are shown
) -> Result<RunPage, ApiError> {
    let permit = super::gate::require(model::Action::ReadRuns)?;
    Ok(expect_context::<engine::Engine>().shown_run(&permit, &id, show.as_deref()).await?)
}

/// Reads a page of a run's log: of the lines with these words, or that on which a line is. Reading changes nothing.
#[server(endpoint = "run_log", input = GetUrl)]
pub async fn run_log(
    id: String,
    #[server(default)] q: String, // absent where nothing is looked for
    #[server(default)] page: String, // as it was typed; what is no number is the first one
    #[server(default)] line: String,
) -> Result<LogPage, ApiError> {
    let permit = super::gate::require(model::Action::ReadEveryDataset)?;
    let (page, line) = (page.trim().parse().unwrap_or(1), line.trim().parse().ok());
    Ok(expect_context::<engine::Engine>().log_page(&permit, &id, &q, page, line).await?)
}

/// Asks that a run be paused, resumed, cancelled, retried or undone; whoever carries runs out does it.
#[server(endpoint = "control_run")]
pub async fn control_run(
    id: String,
    event: JobEvent,
    cause: Option<Cause>,     // absent where it is about all of them
    typed: Option<String>,    // the database's name, to undo
    password: Option<String>, // once more, to undo
) -> Result<(), ApiError> {
    let permit = super::gate::require(event.action())?;
    let engine = expect_context::<engine::Engine>();
    if event == JobEvent::Undo {
        let name = engine.database();
        if typed.as_deref().map(str::trim) != Some(name) {
            let reason = format!("type {name}, the name of the database, to undo a run");
            return Err(super::gate::refuse(ApiError::Refused { reason }));
        }
        engine.accounts().confirm(&permit, password.as_deref().unwrap_or_default()).await?;
    }
    engine.ask(&permit, &id, event, cause).await?;
    Ok(())
}

/// Lets a run go at another pace, also while it is carried out, and leads to it. What is not given stays as it is.
#[server(endpoint = "pace_run")]
pub async fn pace_run(
    id: String,
    #[server(default)] pace: BTreeMap<String, String>, // as it was typed
) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ControlRuns)?;
    let change = model::PaceChange::typed(&pace)
        .map_err(|it| super::gate::refuse(ApiError::Refused { reason: it.to_string() }))?;
    let engine = expect_context::<engine::Engine>();
    let run = engine.set_pace(&permit, &id, |now| change.over(now)).await?;
    leptos_axum::redirect(&format!("/runs/{}", run.id));
    Ok(())
}
