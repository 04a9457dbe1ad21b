//! Waiting for something to be so.

use std::fmt::Display;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const PATIENCE: Duration = Duration::from_mins(10);
const PAUSE: Duration = Duration::from_millis(50);

/// Asks until there is an answer, and returns it.
///
/// # Errors
///
/// When there is none for ten minutes; the message says what was waited for, and what was said instead.
pub async fn wait_for<T, E: Display, F: Future<Output = Result<T, E>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> Result<T> {
    let start = Instant::now();
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if start.elapsed() > PATIENCE {
            bail!("waited {PATIENCE:?} for {what}: {error}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A port that nobody uses, and that nobody gets who asks the system for any: those are others, so that it is still free when
/// a server that is started with it comes to listen.
pub fn free_port() -> Result<u16> {
    /// Below those that systems give away.
    const FIRST: u32 = 16_000;
    const COUNT: u32 = 16_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Those who look at the same time begin elsewhere.
    let own = std::process::id().wrapping_mul(613);
    for _ in 0..COUNT {
        let at = own.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + at % COUNT)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port between {FIRST} and {} is free", FIRST + COUNT)
}
