//! `/api/compatibility`: whether a client can open the database, for scripts.

use app::api::{Asking, status_of};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use engine::{Engine, versions::Question};
use model::Action;
use serde::Deserialize;

/// `?client=0.21.0`, and where they are given `&type=open_source` and `&destination=1.22.1`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    client: String,
    r#type: String,
    destination: String,
}

/// `{ client: String, database: String | null, compatible: bool, message: String | null, note: String | null }`, where
/// `message` is FiftyOne's. A question that means nothing is a 400 with one sentence.
pub async fn compatibility(
    State(engine): State<Engine>,
    Extension(asking): Extension<Asking>,
    Query(asked): Query<Asked>,
) -> Response {
    if let Err(error) = asking.permit(Action::ReadVersions) {
        return (status_of(&error), error.to_string()).into_response();
    }
    let opening = async {
        let versions = engine.versions().await?;
        let read = Question::read(&versions, &asked.client, &asked.r#type, &asked.destination);
        match read {
            Ok(question) => Ok(Ok(engine.opening(&question).await?)),
            Err(unclear) => Ok::<_, engine::Error>(Err(unclear)),
        }
    };
    match opening.await {
        Ok(Ok(opening)) => Json(opening).into_response(),
        Ok(Err(unclear)) => (StatusCode::BAD_REQUEST, unclear.to_string()).into_response(),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "The engine could not answer"
            );
            (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response()
        }
    }
}
