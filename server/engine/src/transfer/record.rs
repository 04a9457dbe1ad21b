//! What became of files, written down beside the sending of others: nobody waits for it but who ends.

use bson::Bson;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    Error, Result,
    store::{Failure, Store},
};

/// How much may wait to be written down, and how much is written at once.
const WAITING: usize = 2_000;
const AT_ONCE: usize = 500;

/// Whoever writes it down.
pub struct Recorder {
    to: mpsc::Sender<Bson>,
    writing: JoinHandle<std::result::Result<(), Failure>>,
}

impl Recorder {
    /// Begins to listen.
    pub fn new(store: &Store) -> Self {
        let (to, mut statements) = mpsc::channel(WAITING);
        let store = store.clone();
        let writing = tokio::spawn(async move {
            let mut some = Vec::new();
            while statements.recv_many(&mut some, AT_ONCE).await > 0 {
                store.note_files(std::mem::take(&mut some)).await?;
            }
            Ok(())
        });
        Self { to, writing }
    }

    /// Where statements are sent to. It fails when nothing can be written down any more.
    pub fn sender(&self) -> mpsc::Sender<Bson> {
        self.to.clone()
    }

    /// Writes down what was sent, once nobody else has a sender.
    ///
    /// # Errors
    ///
    /// If it cannot be.
    pub async fn end(self, store: &Store) -> Result<()> {
        drop(self.to);
        match self.writing.await {
            Ok(written) => written.map_err(|it| store.error(it)),
            Err(it) => Err(Error::Refused(format!(
                "writing down what was done broke off: {it}; run the same again"
            ))),
        }
    }
}
