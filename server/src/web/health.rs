//! `/healthz`: the verdict for programs that wait for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::Engine;
use model::{Tone, Verdict};
use tokio::sync::Mutex;

/// How long a verdict holds: anybody may ask, as often as they like, and each time all datasets are counted.
const HOLDS: Duration = Duration::from_secs(3);

/// The verdict, looked up once for all who ask at the same time.
#[derive(Clone, Debug)]
pub struct Health {
    engine: Engine,
    last: Arc<Mutex<Option<(Instant, Verdict)>>>,
}

impl Health {
    /// Nothing is looked up yet.
    pub fn of(engine: Engine) -> Self {
        Self { engine, last: Arc::default() }
    }

    async fn verdict(&self) -> Verdict {
        let mut last = self.last.lock().await;
        if let Some((since, verdict)) = &*last
            && since.elapsed() < HOLDS
        {
            return verdict.clone();
        }
        let verdict = match self.engine.status().await {
            Ok(status) => status.verdict,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "The status is not known");
                // Whoever asks has not signed in: hosts and users of the database are none of their business.
                let sentence = "The deployment cannot be read; the server's log says why.".into();
                Verdict { tone: Tone::Problem, sentence }
            }
        };
        *last = Some((Instant::now(), verdict.clone()));
        verdict
    }
}

/// `{ tone: "good" | "todo" | "problem", sentence: String }`; a problem also is a 503.
pub async fn health(State(health): State<Health>) -> (StatusCode, Json<Verdict>) {
    let verdict = health.verdict().await;
    let status = match verdict.tone {
        Tone::Good | Tone::Todo => StatusCode::OK,
        Tone::Problem => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(verdict))
}
