//! Reading and converting on a thread of its own, while what was converted before is written.

use bson::RawDocumentBuf;
use bundle::{Documents, Fault, Piece};
use tokio::sync::mpsc;

/// How many bytes of documents go into one command, and how many documents.
const BATCH_BYTES: usize = 4 << 20;
const BATCH: usize = 2_000;

/// How many batches may wait: memory is bounded by them.
const WAITING: usize = 3;

/// The documents of an export as they shall be, in batches, without those that `convert` makes nothing of.
pub fn stream(
    documents: Documents,
    mut convert: impl FnMut(&Piece) -> Result<Option<RawDocumentBuf>, Fault> + Send + 'static,
) -> mpsc::Receiver<Result<Vec<RawDocumentBuf>, Fault>> {
    let (to, batches) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for piece in documents {
            match piece.and_then(|it| convert(&it)) {
                Ok(None) => {}
                Ok(Some(document)) => {
                    bytes += document.as_bytes().len();
                    batch.push(document);
                }
                Err(fault) => {
                    to.blocking_send(Err(fault)).ok();
                    return;
                }
            }
            if bytes >= BATCH_BYTES || batch.len() >= BATCH {
                bytes = 0;
                // Nobody listens any more: the import has ended.
                if to.blocking_send(Ok(std::mem::take(&mut batch))).is_err() {
                    return;
                }
            }
        }
        if !batch.is_empty() {
            to.blocking_send(Ok(batch)).ok();
        }
    });
    batches
}
