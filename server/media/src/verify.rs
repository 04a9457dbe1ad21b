//! Looking whether what was sent is at its destination.

use crate::{
    destination::{Destination, Found},
    fault::{Cause, Fault},
    manifest::Sent,
};

/// How closely it is looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Care {
    /// What the store has compared with a checksum when it arrived is known by its size and tag; the rest is read back.
    #[default]
    Known,
    /// Everything is read back.
    Every,
}

impl Destination {
    /// Whether what was sent to a place is there. `found`: what a list has of it, if there is one.
    ///
    /// # Errors
    ///
    /// [`Cause::Mismatch`] if it is not; otherwise why it cannot be seen.
    pub async fn verify(
        &self,
        place: &str,
        sent: &Sent,
        found: Option<&Found>,
        care: Care,
    ) -> Result<(), Fault> {
        let wrong = |what: String| Err(Fault::new(Cause::Mismatch, what));
        let path = self.path_of(place);
        let Some(found) = found else {
            return wrong(format!("`{path}` is not there any more; run the upload again"));
        };
        if found.size != sent.size {
            return wrong(format!(
                "`{path}` has {} bytes instead of {}; run the upload again",
                found.size, sent.size
            ));
        }
        if care == Care::Known
            && self.checks_what_arrives()
            && found.tag.is_some()
            && found.tag == sent.tag
        {
            return Ok(());
        }
        match self.read_back(place).await? {
            Some((size, sha256)) if size == sent.size && sha256 == sent.sha256 => Ok(()),
            _ => wrong(format!("`{path}` has another content than was sent; run the upload again")),
        }
    }
}
