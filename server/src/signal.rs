//! The wish of the outside that the program ends.

use tokio::signal::unix::{SignalKind, signal};

/// Returns when the program is asked to end: Ctrl-C, or `SIGTERM` from whoever supervises it.
pub async fn asked_to_end() {
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    match (interrupt, terminate) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {},
                _ = terminate.recv() => {},
            }
        }
        // Without signals there is nobody to listen to.
        _ => std::future::pending().await,
    }
}
