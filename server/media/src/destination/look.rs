//! What is at a destination already.

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{Error, ObjectStoreExt};
use sha2::{Digest, Sha256};

use super::{Bucket, Destination, Place};
use crate::{
    fault::{Doing, Fault, of_store},
    hash,
};

/// Something that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its place below the destination.
    pub place: String,
    /// How large it is.
    pub size: u64,
    /// What the store knows its content by, if it does.
    pub tag: Option<String>,
}

impl Destination {
    /// What is at a place; `None` if nothing is.
    ///
    /// # Errors
    ///
    /// If that cannot be seen.
    pub async fn look(&self, place: &str) -> Result<Option<Found>, Fault> {
        match &self.place {
            Place::Folder(folder) => {
                let file = Self::file(folder, place);
                match tokio::fs::metadata(&file).await {
                    Ok(it) if it.is_file() => {
                        Ok(Some(Found { place: place.to_owned(), size: it.len(), tag: None }))
                    }
                    Ok(_) => Err(Fault::new(
                        crate::Cause::Occupied,
                        format!(
                            "`{}` is no file; remove it, or choose another folder",
                            file.display()
                        ),
                    )),
                    Err(it) if it.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    Err(it) => Err(Fault::reading(&self.path_of(place), &it)),
                }
            }
            Place::Bucket(bucket) => match bucket.store.head(&self.key(place)?).await {
                Ok(it) => Ok(Some(Found { place: place.to_owned(), size: it.size, tag: it.e_tag })),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(it) => Err(of_store(&it, Doing::Read, &self.path_of(place))),
            },
        }
    }

    /// Everything that is there, in the order of places as bytes. `None` for a folder, where each is looked at.
    pub fn list(&self) -> Option<BoxStream<'static, Result<Found, Fault>>> {
        let Place::Bucket(Bucket { store, .. }) = &self.place else { return None };
        let prefix = object_store::path::Path::parse(&self.address.prefix).ok()?;
        let skipped =
            if self.address.prefix.is_empty() { 0 } else { self.address.prefix.len() + 1 };
        let url = self.url().to_owned();
        let found = store.list((skipped > 0).then_some(&prefix));
        let found = found.map_err(move |it| of_store(&it, Doing::List, &url)).map_ok(move |it| {
            let place = it.location.as_ref().get(skipped..).unwrap_or_default().to_owned();
            Found { place, size: it.size, tag: it.e_tag }
        });
        Some(found.boxed())
    }

    /// Reads what is at a place, and hashes it. Returns its size and SHA-256; `None` if nothing is there.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub async fn read_back(&self, place: &str) -> Result<Option<(u64, String)>, Fault> {
        match &self.place {
            Place::Folder(folder) => {
                let (file, path) = (Self::file(folder, place), self.path_of(place));
                crate::source::hashed(file, path).await
            }
            Place::Bucket(bucket) => {
                let broken = |it: Error| of_store(&it, Doing::Read, &self.path_of(place));
                let mut bytes = match bucket.store.get(&self.key(place)?).await {
                    Ok(found) => found.into_stream(),
                    Err(Error::NotFound { .. }) => return Ok(None),
                    Err(it) => return Err(broken(it)),
                };
                let (mut size, mut hash) = (0, Sha256::new());
                while let Some(some) = bytes.try_next().await.map_err(broken)? {
                    size += some.len() as u64;
                    hash.update(&some);
                }
                Ok(Some((size, hash::text(&hash.finalize()))))
            }
        }
    }
}
