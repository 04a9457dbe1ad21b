//! `/healthz`: the verdict for programs that wait for it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::Engine;
use model::{Tone, Verdict};

/// `{ tone: "good" | "todo" | "problem", sentence: String }`; a problem also is a 503.
pub async fn health(State(engine): State<Engine>) -> (StatusCode, Json<Verdict>) {
    let verdict = match engine.status().await {
        Ok(status) => status.verdict,
        Err(error) => Verdict { tone: Tone::Problem, sentence: error.to_string() },
    };
    let status = match verdict.tone {
        Tone::Good | Tone::Todo => StatusCode::OK,
        Tone::Problem => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(verdict))
}
