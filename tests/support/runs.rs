//! What a test sees of runs, as often as it likes: it asks the engine itself, and does not begin a program each time.

use std::time::{Duration, Instant};

use engine::Engine;
use serde_json::{Value, json};

use crate::Deployment;

/// How long anything about a run is waited for.
const LIMIT: Duration = Duration::from_mins(10);

/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(50);

impl Deployment {
    /// What `runs show ID --json` prints.
    pub async fn shown(&self, id: &str) -> Value {
        let engine = self.engine().await;
        let run = engine.run(id).await.unwrap();
        shown(&engine, json!(run)).await
    }

    /// Waits until a run shows what is looked for, and returns what is shown then.
    pub async fn until(&self, id: &str, what: &str, found: impl Fn(&Value) -> bool) -> Value {
        let (engine, begun) = (self.engine().await, Instant::now());
        loop {
            let run = json!(engine.run(id).await.unwrap());
            if found(&run) {
                return shown(&engine, run).await;
            }
            let late = begun.elapsed() > LIMIT;
            assert!(!late, "never seen: {what}; {:#}", shown(&engine, run).await);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the only run there is, is in this state.
    pub async fn until_the_run_is(&self, state: &str) {
        let (engine, begun) = (self.engine().await, Instant::now());
        loop {
            let runs = engine.runs().await.unwrap();
            let [run] = runs.as_slice() else { panic!("not one run: {runs:#?}") };
            if json!(run.state) == state {
                return;
            }
            assert!(begun.elapsed() < LIMIT, "never {state}: {run:#?}");
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// A run as it was found, with what there is to it.
async fn shown(engine: &Engine, run: Value) -> Value {
    let id = run["id"].as_str().unwrap();
    let datasets = engine.run_datasets(id).await.unwrap();
    let log = engine.run_log(id).await.unwrap();
    json!({ "run": run, "datasets": datasets, "log": log })
}
