//! Runs the embedded database on a folder until it is stopped: `cargo run --example mongod -- DIR`.
//!
//! Prints where it listens, to point other tools at it. Ends when its input does.

use std::error::Error;
use std::io::{Read, Write};

use server::embedded::{self, Options};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args_os().nth(1).ok_or("which folder?")?.into();
    let mongod = std::env::var_os("FIFTYONE_MONGOD").map(Into::into);
    let database = embedded::start(&Options { dir, mongod }).await?;
    let attached = if database.attached() { " (attached)" } else { "" };
    writeln!(std::io::stdout(), "{}{attached}", database.uri())?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    database.stop().await;
    Ok(())
}
