//! How a revision says what is lost on the way down.

use crate::Context;

impl Context<'_> {
    /// Warns that `count` things are `fate` (`2 saved views are deleted`); silent if there are none.
    pub(crate) fn warn_lost(&mut self, count: usize, thing: &str, fate: &str) {
        if count > 0 {
            let are = if count == 1 { "is" } else { "are" };
            self.warn(format!("{} {are} {fate}", counted(count, thing)));
        }
    }
}

/// A number and what it counts: `1 saved view`, `2 saved views`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}
