//! `/api/datasets/{id}/documents`: the documents of a dataset before and after, as a file.

use app::api::{ApiError, Asking, status_of};
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use engine::Engine;
use model::Action;
use serde::Deserialize;

/// `?to=1.0.0`: the version at which they are shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    to: String,
}

/// `{ dataset, from, to, documents: [{ collection, before, after }] }` in canonical extended JSON, null where there is none.
/// A dataset that whoever asks may not see is a 404, as one that does not exist; one that cannot go there a 409.
pub async fn documents(
    State(engine): State<Engine>,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let permit = match asking.permit(Action::PreviewMigration) {
        Ok(permit) => permit,
        Err(error) => return (status_of(&error), error.to_string()).into_response(),
    };
    match engine.documents_ahead(&permit, &id, &asked.to).await {
        Ok(text) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"documents.json\""),
            ];
            (headers, text).into_response()
        }
        Err(error) => {
            let error = ApiError::from(error);
            (status_of(&error), error.to_string()).into_response()
        }
    }
}
