//! Following what others write while a run is verified: what was looked at and is written to after that is looked at again.
//!
//! A replica set tells it by its change stream; of a server that stands alone nothing more is known then than what
//! looking has shown.

use std::time::Duration;

use super::Verifying;
use crate::{
    job::log,
    report::Report,
    store::{Check, Failure, Touched},
};

/// How often what somebody goes on writing to is looked at again.
const ROUNDS: usize = 3;

/// How long the change stream may take to come to where the server is.
const LIMIT: Duration = Duration::from_secs(10);

impl Verifying<'_> {
    /// Looks again at what was written to since the verification began, until nothing is.
    pub(super) async fn follow(&self, report: &mut Report) -> Result<(), Failure> {
        let run = self.hand.id();
        let Some(mut from) = self.hand.verifying_since().await? else { return Ok(()) };
        for _ in 0..ROUNDS {
            let Some(until) = self.store.moment().await?.filter(|_| !self.control.is_stopped())
            else {
                return Ok(());
            };
            let unseen = match self.store.touched(from, until, LIMIT).await {
                Err(failure) if failure.is_unreachable() => return Err(failure),
                Err(failure) => failure.text,
                Ok(None) => "too much is written, or a majority is behind".to_owned(),
                Ok(Some(touched)) if touched.is_empty() => return Ok(()),
                Ok(Some(touched)) => {
                    if self.reopen(&touched).await? == 0 {
                        return Ok(());
                    }
                    self.rounds(report).await?;
                    from = until;
                    continue;
                }
            };
            let text = format!(
                "cannot follow by a change stream what is written while it is verified, and looks at everything once more \
                 instead: {unseen}"
            );
            log(self.store, run, &text).await;
            self.store.reopen_all_checks(run, self.hand.notes_under()).await?;
            return self.rounds(report).await;
        }
        let text = "others go on writing to what was migrated; what they have written since it was looked at for the last \
                    time is not verified";
        log(self.store, run, text).await;
        Ok(())
    }

    /// Has those datasets looked at again that were written to. How many those are.
    async fn reopen(&self, touched: &Touched) -> Result<usize, Failure> {
        let run = self.hand.id();
        let checks = self.store.checks_about(run, touched).await?;
        let (fence, mut count) = (self.hand.notes_under(), 0);
        for check in &checks {
            let datasets = concerned(check, touched);
            self.store.reopen_check(&check.id, fence, &datasets).await?;
            count += datasets.len();
        }
        Ok(count)
    }
}

/// The texts of the `_id`s of those datasets of a group that were written to.
fn concerned(check: &Check, touched: &Touched) -> Vec<String> {
    let written = |name: &str| touched.collections.contains(name);
    let datasets = check.datasets.iter().filter(|it| {
        touched.datasets.contains(&it.id) || it.collections.iter().any(|it| written(&it.collection))
    });
    datasets.map(|it| crate::tally::text(&it.id)).collect()
}
