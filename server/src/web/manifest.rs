//! `/api/media/{id}/manifest.csv`: every file of an upload, where it went, and what became of it.

use std::io;

use app::api::{ApiError, Asking, status_of};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use engine::Engine;
use futures_util::{StreamExt, stream};
use media::manifest::HEADINGS;
use model::Action;
use tokio::sync::mpsc;

/// How many pieces may wait for whoever reads slowly.
const WAITING: usize = 64;

/// Sends it as it is read: nobody has to have millions of files in memory.
pub async fn manifest(
    State(engine): State<Engine>,
    Extension(asking): Extension<Asking>,
    Path(id): Path<String>,
) -> Response {
    let failed = |error: ApiError| (status_of(&error), error.to_string()).into_response();
    let permit = match asking.permit(Action::MoveMedia) {
        Ok(permit) => permit,
        Err(error) => return failed(error),
    };
    let upload = match engine.upload_of(&permit, &id).await {
        Ok(upload) => upload,
        Err(error) => return failed(error.into()),
    };
    let (to, pieces) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    tokio::spawn(async move {
        if to.send(line(HEADINGS).map(Bytes::from)).await.is_err() {
            return;
        }
        let (dataset, place) = (upload.dataset.as_str(), upload.destination.as_str());
        let pages = engine.manifest_pages(&permit, dataset, place, |page| {
            let to = to.clone();
            async move {
                let lines = page.iter().map(|(entry, path)| line(entry.cells(path)));
                let text: io::Result<Vec<Vec<u8>>> = lines.collect();
                to.send(text.map(|it| it.concat().into())).await.is_ok()
            }
        });
        if let Err(why) = pages.await {
            // The file ends in an error, so that nobody takes it for whole.
            to.send(Err(io::Error::other(why.to_string()))).await.ok();
        }
    });
    let body = stream::unfold(pieces, async |mut it| Some((it.recv().await?, it))).boxed();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"manifest.csv\""),
    ];
    (headers, Body::from_stream(body)).into_response()
}

fn line<const N: usize>(cells: [impl AsRef<[u8]>; N]) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells)?;
    writer.into_inner().map_err(|it| io::Error::other(it.to_string()))
}
