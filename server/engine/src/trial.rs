//! The lease alone, for the test in which many processes race for it: what it proves has to be proven of the very code
//! that guards migrations, and a program has no business to hold a lease without a run.

use bson::oid::ObjectId;

use crate::{
    Control, Engine, Result,
    guard::Guard,
    store::{Asked, Scope},
};

/// A lease that is held for no run.
#[derive(Debug)]
pub struct Held {
    guard: Guard,
    control: Control,
}

impl Held {
    /// Takes the lease of a database, as a run does.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Busy`] if somebody has it.
    pub async fn take(engine: &Engine) -> Result<Self> {
        let (control, _, _) = Control::new();
        let (scope, names) = (Scope::Everything, Vec::new());
        let (destination, stops) = (None, false);
        let (without_undo, without_archive) = (true, true);
        let selected = None;
        let asked =
            Asked { scope, names, destination, stops, without_undo, without_archive, selected };
        let guard = Guard::take(&engine.store, ObjectId::new(), &asked, &control).await?;
        Ok(Self { guard, control })
    }

    /// Its number.
    pub fn fence(&self) -> i64 {
        self.guard.fence()
    }

    /// Whether a write that carries no number may be begun now.
    pub fn may_write(&self) -> bool {
        !self.control.is_stopped() && self.control.is_in_time()
    }

    /// Gives it back.
    pub async fn release(self) {
        self.guard.release().await;
    }
}
