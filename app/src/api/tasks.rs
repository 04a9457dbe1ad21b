//! Imports and exports.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{ExportQuestion, ExportReport, ImportQuestion, ImportReport, TaskKind, TaskSummary};

use super::ApiError;

/// What importing would come to. Reading changes nothing.
#[server(endpoint = "import/check", input = GetUrl)]
pub async fn check_import(question: ImportQuestion) -> Result<ImportReport, ApiError> {
    let permit = super::gate::require(model::Action::ImportDataset)?;
    let engine = expect_context::<engine::Engine>();
    Ok(engine.check_asked_import(&permit, &question).await?)
}

/// Where members import from, and archives are sent to, if there is such a folder. Reading changes nothing.
#[server(endpoint = "import/place", input = GetUrl)]
pub async fn import_place() -> Result<Option<String>, ApiError> {
    let permit = super::gate::require(model::Action::ImportDataset)?;
    Ok(expect_context::<engine::Engine>().imports(&permit).await?)
}

/// Begins an import, and leads to where one sees how far it is.
#[server(endpoint = "import/begin")]
pub async fn begin_import(question: ImportQuestion) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ImportDataset)?;
    let id = expect_context::<engine::Engine>().begin_import(&permit, question).await?;
    leptos_axum::redirect(&format!("/import/{id}?watch=1"));
    Ok(())
}

/// What exporting would come to. Reading changes nothing.
#[server(endpoint = "export/check", input = GetUrl)]
pub async fn check_export(question: ExportQuestion) -> Result<ExportReport, ApiError> {
    let permit = super::gate::require(model::Action::ExportDataset)?;
    let engine = expect_context::<engine::Engine>();
    let request = engine.asked_export(&permit, &question).await?;
    Ok(engine.check_export(&permit, &request).await?)
}

/// Begins an export, and leads to where one sees how far it is.
#[server(endpoint = "export/begin")]
pub async fn begin_export(question: ExportQuestion) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ExportDataset)?;
    let id = expect_context::<engine::Engine>().begin_export(&permit, question).await?;
    leptos_axum::redirect(&format!("/exports/{id}?watch=1"));
    Ok(())
}

/// Every import or export that one may see, the last one first. Reading changes nothing.
#[server(endpoint = "tasks", input = GetUrl)]
pub async fn tasks(kind: TaskKind) -> Result<Vec<TaskSummary>, ApiError> {
    let permit = super::gate::require(kind.action())?;
    Ok(expect_context::<engine::Engine>().tasks(&permit, kind).await?)
}

/// One of them. Reading changes nothing.
#[server(endpoint = "task", input = GetUrl)]
pub async fn shown_task(kind: TaskKind, id: String) -> Result<TaskSummary, ApiError> {
    let permit = super::gate::require(kind.action())?;
    Ok(expect_context::<engine::Engine>().task(&permit, kind, &id).await?)
}

/// Asks one to end.
#[server(endpoint = "task/stop")]
pub async fn stop_task(kind: TaskKind, id: String) -> Result<(), ApiError> {
    let permit = super::gate::require(kind.action())?;
    expect_context::<engine::Engine>().stop_task(&permit, kind, &id).await?;
    leptos_axum::redirect(&format!("{}/{id}?watch=1", kind.page()));
    Ok(())
}
