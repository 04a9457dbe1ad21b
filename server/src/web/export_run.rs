//! `/api/runs/{id}/datasets.csv` and `/api/runs/{id}/log.txt`: what a run did, as files.

use app::api::{ApiError, Asking, status_of};
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use engine::{Engine, Error};
use model::{Action, LogLine, Permit, RUN_CSV_HEAD, RunDataset};
use serde::Deserialize;

/// A line for each of its datasets, with the names of the columns before.
pub async fn datasets(
    State(engine): State<Engine>,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
) -> Response {
    let found = async |permit: Permit| {
        let datasets = engine.export_run(&permit, &id).await?;
        let lines = datasets.iter().map(RunDataset::csv);
        Ok(std::iter::once(RUN_CSV_HEAD.to_owned()).chain(lines).collect())
    };
    file(asking, found, "text/csv; charset=utf-8", "attachment; filename=\"datasets.csv\"").await
}

/// What is looked for in a log.
#[derive(Deserialize)]
pub struct Sought {
    /// The words; absent where all of it is wanted.
    #[serde(default)]
    q: String,
}

/// A line for each sentence of its log, from its beginning; only those with the words that are looked for, if there are some.
pub async fn log(
    State(engine): State<Engine>,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
    Query(Sought { q }): Query<Sought>,
) -> Response {
    let found = async |permit: Permit| {
        let lines = engine.export_log(&permit, &id, &q).await?;
        Ok(lines.iter().map(LogLine::line).collect())
    };
    file(asking, found, "text/plain; charset=utf-8", "attachment; filename=\"log.txt\"").await
}

/// Both name datasets, and are for those who may know them.
async fn file(
    asking: Asking,
    found: impl AsyncFnOnce(Permit) -> Result<String, Error>,
    kind: &'static str,
    attached: &'static str,
) -> Response {
    let permit = match asking.permit(Action::ReadEveryDataset) {
        Ok(permit) => permit,
        Err(error) => return (status_of(&error), error.to_string()).into_response(),
    };
    match found(permit).await {
        Ok(text) => {
            let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, attached)];
            (headers, text).into_response()
        }
        Err(error) => {
            let error = ApiError::from(error);
            (status_of(&error), error.to_string()).into_response()
        }
    }
}
