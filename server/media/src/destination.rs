//! Where media goes: a bucket, a container or a folder.

mod address;
mod credentials;
mod ini;
mod look;
mod probe;

use std::{fmt, path::PathBuf, sync::Arc};

use model::media_path::rest_below;
use object_store::{ObjectStore, multipart::MultipartStore, path::Path};

use crate::fault::{Cause, Fault};

pub use address::{Address, Provider};
pub use look::Found;
pub use probe::{Probe, Probed};

/// What the environment says of a name.
pub type Env<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// The environment of this program. What is empty counts as not set.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|it| !it.is_empty())
}

/// Where media goes. Its credentials are with the client of the store, and nowhere told.
#[derive(Clone)]
pub struct Destination {
    address: Address,
    pub(crate) place: Place,
}

#[derive(Clone)]
pub(crate) enum Place {
    Folder(PathBuf),
    Bucket(Bucket),
}

#[derive(Clone)]
pub(crate) struct Bucket {
    pub store: Arc<dyn ObjectStore>,
    pub parts: Arc<dyn MultipartStore>,
}

impl Destination {
    /// Prepares the way to `url`, with the credentials that are found by FiftyOne's conventions. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// If the address makes no sense, or credentials that are named are not there.
    pub fn open(url: &str, env: Env<'_>) -> Result<Self, Fault> {
        let address = Address::read(url, env)?;
        let place = match address.provider {
            Provider::Folder => Place::Folder(PathBuf::from(format!("/{}", address.prefix))),
            _ => Place::Bucket(credentials::bucket(&address, env)?),
        };
        Ok(Self { address, place })
    }

    /// What to call it, and what paths in it begin with.
    pub fn url(&self) -> &str {
        &self.address.url
    }

    /// Whose it is.
    pub fn provider(&self) -> Provider {
        self.address.provider
    }

    /// The path of a place in it, as a dataset has it.
    pub fn path_of(&self, place: &str) -> String {
        self.address.path_of(place)
    }

    /// The place in it that a path of a dataset is.
    pub fn place_of<'a>(&self, path: &'a str) -> Option<&'a str> {
        rest_below(self.url(), path)
    }

    /// Whether the store itself compares what arrives with a checksum.
    pub fn checks_what_arrives(&self) -> bool {
        self.provider() == Provider::S3
    }

    /// The key of a place in the bucket.
    pub(crate) fn key(&self, place: &str) -> Result<Path, Fault> {
        let prefix = &self.address.prefix;
        let key = if prefix.is_empty() { place.to_owned() } else { format!("{prefix}/{place}") };
        Path::parse(&key).map_err(|it| {
            Fault::new(
                Cause::Place,
                format!("`{}` is no name for an object: {it}", self.path_of(place)),
            )
        })
    }

    /// The file of a place in the folder.
    pub(crate) fn file(folder: &std::path::Path, place: &str) -> PathBuf {
        folder.join(place)
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Destination").field(&self.address.url).finish()
    }
}
