//! Trying again what may pass by itself: a store that has too much to do, and connections that were cut.

use std::{future::Future, time::Duration};

use crate::{fault::Fault, throttle::Throttle};

/// How often, beside the few attempts that the client makes by itself.
const ATTEMPTS: u32 = 6;

/// How long is waited first; each time twice as long.
const FIRST: Duration = Duration::from_millis(250);

/// Does something until it is done, or cannot be.
pub async fn patiently<T, F>(throttle: &Throttle, attempt: impl Fn() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let mut tries = 0;
    loop {
        match attempt().await {
            Err(fault) if fault.cause.may_pass() && tries + 1 < ATTEMPTS => {
                tracing::debug!("tried again: {fault}");
                throttle.pause(wait(tries)).await?;
                tries += 1;
            }
            done => return done,
        }
    }
}

/// Not all at the same moment: a store that was overrun would be overrun again.
fn wait(tries: u32) -> Duration {
    let wait = FIRST * 2_u32.pow(tries);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let chance = now.map_or(0, |it| it.subsec_nanos() % 1000);
    wait / 2 + wait * chance / 2000
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::Cause;

    #[tokio::test]
    async fn what_may_pass_is_tried_again_and_the_rest_is_not() {
        let throttle = Throttle::new(1, 0);
        for (cause, attempts) in [(Cause::Busy, 2), (Cause::Rights, 1)] {
            let count = AtomicU32::new(0);
            let failing = || async {
                match count.fetch_add(1, Ordering::Relaxed) {
                    0 => Err(Fault::new(cause, "x")),
                    _ => Ok(()),
                }
            };
            assert_eq!(patiently(&throttle, failing).await.is_ok(), attempts > 1);
            assert_eq!(count.into_inner(), attempts);
        }
    }
}
