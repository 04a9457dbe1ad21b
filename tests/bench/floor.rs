//! The floor of the benchmark: sends recorded commands, four at once, and does nothing else.
//!
//! What it is given is the result already, so it neither decides nor checks anything: one read of the
//! dataset documents, one insert of the runs, one update per collection, one bulk write of the dataset
//! documents. No program that has to work out what to write can be expected to be faster, unless it splits
//! the update of a large collection.

use std::{env, error::Error, fs::File, io::BufReader, sync::Arc};

use bson::{Document, RawDocumentBuf, doc};
use futures_util::TryStreamExt;
use mongodb::{Client, Database};
use tokio::{sync::Semaphore, task::JoinSet};

const SIDE_BY_SIDE: usize = 4;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [uri, database, recording] = arguments.as_slice() else {
        return Err("usage: floor URI DATABASE RECORDING".into());
    };
    let database = Client::with_uri_str(uri).await?.database(database);
    let datasets = database.collection::<RawDocumentBuf>("datasets");
    let mut found = datasets.find(doc! {}).await?;
    while found.try_next().await?.is_some() {}

    let permits = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut recording = BufReader::new(File::open(recording)?);
    let (mut phase, mut running) = (0, JoinSet::new());
    while let Ok(step) = Document::from_reader(&mut recording) {
        if step.get_i32("phase")? != phase {
            ended(&mut running).await?;
            phase = step.get_i32("phase")?;
        }
        let command = RawDocumentBuf::try_from(step.get_document("command")?)?;
        let permit = Arc::clone(&permits).acquire_owned().await?;
        let database = database.clone();
        running.spawn(async move {
            let sent = send(&database, command).await;
            drop(permit);
            sent
        });
    }
    ended(&mut running).await
}

async fn send(database: &Database, command: RawDocumentBuf) -> Result<(), Failure> {
    let answer = database.run_raw_command(command).await?;
    match answer.get("writeErrors") {
        Some(errors) => Err(errors.to_string().into()),
        None => Ok(()),
    }
}

async fn ended(running: &mut JoinSet<Result<(), Failure>>) -> Result<(), Failure> {
    while let Some(it) = running.join_next().await {
        it??;
    }
    Ok(())
}
