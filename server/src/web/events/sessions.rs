//! Whether those who watch may still: asked for all of them at once, however many they are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::Accounts;
use tokio::sync::watch;

/// How often it is asked.
const STILL: Duration = Duration::from_secs(5);

/// The sessions of which somebody watches something, by their tokens.
#[derive(Clone, Debug)]
pub struct Sessions {
    accounts: Accounts,
    open: Arc<Mutex<HashMap<String, watch::Sender<bool>>>>,
}

impl Sessions {
    /// Nobody watches anything yet.
    pub fn of(accounts: Accounts) -> Self {
        Self { accounts, open: Arc::default() }
    }

    /// Becomes false when this session, which is alive now, ends: with every change of a role. Where that cannot be seen, it
    /// stays: what they watch cannot be seen either.
    pub fn follow(&self, token: &str) -> watch::Receiver<bool> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = open.is_empty();
        let alive = open.entry(token.to_owned()).or_insert_with(|| watch::Sender::new(true));
        let alive = alive.subscribe();
        if is_first {
            tokio::spawn(self.clone().look());
        }
        alive
    }

    /// Asks again and again, until nobody watches.
    async fn look(self) {
        loop {
            tokio::time::sleep(STILL).await;
            let tokens: Vec<String> = {
                let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
                open.retain(|_, it| it.receiver_count() > 0);
                // Whoever comes now begins anew.
                if open.is_empty() {
                    return;
                }
                open.keys().cloned().collect()
            };
            let Ok(alive) = self.accounts.are_alive(&tokens).await else { continue };
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            for (token, is_alive) in tokens.iter().zip(alive) {
                if let Some(told) = open.get(token).filter(|_| !is_alive) {
                    told.send_replace(false);
                }
            }
        }
    }
}
