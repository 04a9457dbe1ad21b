//! `/api/import/archive`: an archive of an export, sent by a form; it is written as it arrives.

use app::api::{ApiError, Asking, BeginImport, refused_on, status_of};
use axum::Extension;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::extract::{Multipart, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use engine::Engine;
use model::{Action, ImportQuestion, TaskQuestion};

/// Takes it, and leads to what importing it would come to.
pub async fn receive(
    State(engine): State<Engine>,
    Extension(asking): Extension<Asking>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    let is_page = accepts.is_some_and(|it| it.contains("text/html"));
    match received(&engine, &asking, form).await {
        Ok(question) => Redirect::to(&TaskQuestion::Import(question).address()).into_response(),
        Err(error) => match refused_on::<BeginImport>("/import", error.clone()) {
            Some(page) if is_page => Redirect::to(&page).into_response(),
            _ => (status_of(&error), error.to_string()).into_response(),
        },
    }
}

async fn received(
    engine: &Engine,
    asking: &Asking,
    form: Result<Multipart, MultipartRejection>,
) -> Result<ImportQuestion, ApiError> {
    let permit = asking.permit(Action::ImportDataset)?;
    let mut form = form.map_err(|it| ApiError::Refused {
        reason: format!("{it}; send the archive by the form of the page /import"),
    })?;
    let cut = |it: MultipartError| ApiError::Refused {
        reason: format!(
            "the archive has not arrived whole: {it}; nothing of it was kept; send it again"
        ),
    };
    while let Some(mut field) = form.next_field().await.map_err(cut)? {
        let Some(name) = field.file_name().map(str::to_owned) else { continue };
        if name.is_empty() {
            continue;
        }
        let mut receiving = engine.receive_archive(&permit, &name).await?;
        while let Some(bytes) = field.chunk().await.map_err(cut)? {
            receiving.write(&bytes).await?;
        }
        let folder = receiving.end().await?.display().to_string();
        return Ok(ImportQuestion { folder, ..ImportQuestion::default() });
    }
    let reason = "no file was sent; choose an archive of an export".to_owned();
    Err(ApiError::Refused { reason })
}
