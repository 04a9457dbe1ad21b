//! `/api/datasets/export`: all datasets that are looked for, for spreadsheets and scripts.

use std::convert::Infallible;

use app::api::{Asking, status_of};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::{Engine, Export};
use futures_util::{Stream, stream};
use model::{Action, CSV_HEAD, DatasetQuery, DatasetRow};
use serde::Deserialize;

/// How many datasets are sent at once.
const ROWS: usize = 500;

/// How they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A line for each, with the names of the columns before.
    #[default]
    Csv,
    /// An array of objects, a line for each.
    Json,
}

/// `?format=csv` or `?format=json`, with what the address of the page says: all of what is looked for, not a page of it.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    format: Format,
}

/// Sends them as they come: nobody has to have all of them in memory as text.
pub async fn export(
    State(engine): State<Engine>,
    Extension(asking): Extension<Asking>,
    RawQuery(query): RawQuery,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let permit = match asking.permit(Action::ReadDatasets) {
        Ok(permit) => permit,
        Err(error) => return (status_of(&error), error.to_string()).into_response(),
    };
    let Ok(Query(Asked { format })) = asked else {
        let unclear = "there are two formats, `format=csv` and `format=json`";
        return (StatusCode::BAD_REQUEST, unclear).into_response();
    };
    let query = DatasetQuery::parse(&query.unwrap_or_default());
    let export = match engine.export_datasets(&permit, &query).await {
        Ok(export) => export,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "The engine could not answer"
            );
            return (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response();
        }
    };
    let (kind, attached) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"datasets.csv\""),
        Format::Json => ("application/json", "attachment; filename=\"datasets.json\""),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, attached)];
    (headers, Body::from_stream(written(export, format))).into_response()
}

fn written(export: Export, format: Format) -> impl Stream<Item = Result<String, Infallible>> {
    stream::unfold((export, 0_usize, false), move |(export, from, ended)| async move {
        if ended {
            return None;
        }
        let to = export.len().min(from + ROWS);
        let mut text = if from == 0 { format.begin().to_owned() } else { String::new() };
        for (at, row) in (from..).zip(export.rows(from, ROWS)) {
            text.push_str(&format.row(&row, at == 0));
        }
        let ended = to == export.len();
        if ended {
            text.push_str(format.end());
        }
        Some((Ok(text), (export, to, ended)))
    })
}

impl Format {
    const fn begin(self) -> &'static str {
        match self {
            Self::Csv => CSV_HEAD,
            Self::Json => "[",
        }
    }

    fn row(self, row: &DatasetRow, first: bool) -> String {
        match self {
            Self::Csv => row.csv(),
            Self::Json => {
                let separator = if first { "\n" } else { ",\n" };
                format!("{separator}{}", serde_json::to_string(row).unwrap_or_default())
            }
        }
    }

    const fn end(self) -> &'static str {
        match self {
            Self::Csv => "",
            Self::Json => "\n]\n",
        }
    }
}
