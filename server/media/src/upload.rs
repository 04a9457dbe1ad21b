//! Taking one file to its destination, so that it is there as a whole or not at all.

mod folder;
mod parts;
mod retry;

use std::future::Future;

use object_store::{Attribute, Attributes, PutOptions};

use crate::{
    destination::{Bucket, Destination, Found, Place},
    fault::{Cause, Doing, Fault, of_store},
    hash,
    manifest::{Entry, Sent},
    source::{Reading, Stamp},
    throttle::Throttle,
};

pub use parts::{Part, Parts};
use retry::patiently;

/// Files up to this size are sent with one request, and kept in memory for it.
pub const AT_ONCE: u64 = 8 << 20;

/// How often a file that is changed while it is read is read again.
const READS: usize = 3;

/// Where it is written down how far a file is.
pub trait Ledger: Sync {
    /// Notes the parts of a file that are accepted, durable before more are sent; or that there are none any more.
    fn note(
        &self,
        entry: &Entry,
        parts: Option<&Parts>,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// What is known of the place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum There {
    /// Nobody has looked.
    Unknown,
    /// Nothing is there.
    Nothing,
    /// This is there.
    Something(Found),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// How the file was when it was read.
    pub stamp: Stamp,
    /// What is at the destination.
    pub sent: Sent,
    /// Whether it was there already, proven by its content.
    pub was_there: bool,
}

/// How files are uploaded.
#[derive(Clone, Copy, Debug)]
pub struct Uploader<'a> {
    /// Where to.
    pub to: &'a Destination,
    /// How fast.
    pub throttle: &'a Throttle,
    /// Whether something else that is in a file's place is replaced.
    pub overwrite: bool,
}

impl Uploader<'_> {
    /// Uploads a file, or finds that it is there. `content`: what is sent in place of what is in the file.
    ///
    /// # Errors
    ///
    /// Why not. The same again goes on where it was.
    pub async fn upload(
        &self,
        entry: &Entry,
        there: There,
        content: Option<Vec<u8>>,
        ledger: &impl Ledger,
    ) -> Result<Done, Fault> {
        let stamp = Stamp::of(&entry.source).await?;
        if let Some(done) = self.is_there(entry, there, stamp, content.as_deref()).await? {
            self.abandon(entry, ledger).await?;
            return Ok(done);
        }
        if let Some(content) = content {
            let sent = self.put(&entry.place, content).await?;
            return Ok(Done { stamp, sent, was_there: false });
        }
        let mut reads = 0;
        loop {
            match self.send(entry, ledger).await {
                Err(it) if it.cause == Cause::Changed && reads + 1 < READS => reads += 1,
                done => return done,
            }
        }
    }

    async fn send(&self, entry: &Entry, ledger: &impl Ledger) -> Result<Done, Fault> {
        match &self.to.place {
            Place::Folder(root) => self.copy(root, entry).await,
            Place::Bucket(bucket) => {
                let size = Stamp::of(&entry.source).await?.size;
                if size > AT_ONCE {
                    return self.send_parts(bucket, entry, ledger).await;
                }
                self.abandon(entry, ledger).await?;
                let slot = self.throttle.slot().await?;
                let reading = Reading::open(&entry.source).await?;
                let stamp = reading.stamp();
                // One more, to see that it has ended.
                let (reading, content) = reading.piece(stamp.size + 1).await?;
                let sha256 = reading.end(content.len() as u64).await?;
                let sent = self.put_hashed(bucket, &entry.place, content, sha256).await?;
                drop(slot);
                Ok(Done { stamp, sent, was_there: false })
            }
        }
    }

    /// Sends what is in memory.
    async fn put(&self, place: &str, content: Vec<u8>) -> Result<Sent, Fault> {
        match &self.to.place {
            Place::Folder(root) => self.write(root, place, content).await,
            Place::Bucket(bucket) => {
                let _slot = self.throttle.slot().await?;
                let sha256 = hash::of(&content);
                self.put_hashed(bucket, place, content, sha256).await
            }
        }
    }

    async fn put_hashed(
        &self,
        bucket: &Bucket,
        place: &str,
        content: Vec<u8>,
        sha256: String,
    ) -> Result<Sent, Fault> {
        let key = self.to.key(place)?;
        let size = content.len() as u64;
        let payload = object_store::PutPayload::from(content);
        self.throttle.bytes(size).await?;
        let put = || async {
            let options = PutOptions { attributes: kind(place), ..PutOptions::default() };
            let put = bucket.store.put_opts(&key, payload.clone(), options).await;
            put.map_err(|it| of_store(&it, Doing::Write, &self.to.path_of(place)))
        };
        let put = patiently(self.throttle, put).await?;
        Ok(Sent { size, sha256, tag: put.e_tag })
    }

    /// Whether what is in the place of a file is the file. Something else there is in the way, unless it is what we have
    /// put there ourselves, before the file was changed.
    async fn is_there(
        &self,
        entry: &Entry,
        there: There,
        stamp: Stamp,
        content: Option<&[u8]>,
    ) -> Result<Option<Done>, Fault> {
        let found = match there {
            There::Nothing => None,
            There::Something(found) => Some(found),
            There::Unknown => {
                let _slot = self.throttle.slot().await?;
                let look = || async { self.to.look(&entry.place).await };
                patiently(self.throttle, look).await?
            }
        };
        let Some(found) = found else { return Ok(None) };
        let ours = entry.sent.as_ref().filter(|it| it.tag.is_some() && it.tag == found.tag);
        let ours = ours.filter(|it| it.size == found.size);
        if let Some(sent) = ours
            && entry.stamp == Some(stamp)
            && content.is_none_or(|it| hash::of(it) == sent.sha256)
        {
            return Ok(Some(Done { stamp, sent: sent.clone(), was_there: true }));
        }
        let size = content.map_or(stamp.size, |it| it.len() as u64);
        if found.size == size
            && let Some(sha256) = self.is_equal(entry, stamp, content).await?
        {
            let sent = Sent { size, sha256, tag: found.tag };
            return Ok(Some(Done { stamp, sent, was_there: true }));
        }
        // A folder has no tags; what was written there by us has the content that we have noted.
        let was_ours = ours.is_some() || self.is_as_sent(entry).await?;
        if was_ours || self.overwrite {
            return Ok(None);
        }
        let what = format!(
            "there is something else at `{}`; choose another folder or layout, remove it, or replace it with `--overwrite`",
            self.to.path_of(&entry.place)
        );
        Err(Fault::new(Cause::Occupied, what))
    }

    /// The SHA-256 of both, if they are the same.
    async fn is_equal(
        &self,
        entry: &Entry,
        stamp: Stamp,
        content: Option<&[u8]>,
    ) -> Result<Option<String>, Fault> {
        let mine = if let Some(content) = content {
            hash::of(content)
        } else {
            let file = std::path::PathBuf::from(&entry.source);
            let read = crate::source::hashed(file, entry.source.clone()).await?;
            let Some((_, sha256)) = read else { return Ok(None) };
            if Stamp::of(&entry.source).await? != stamp {
                return Err(Fault::changed(&entry.source));
            }
            sha256
        };
        let theirs = self.reads_back(entry).await?;
        Ok(theirs.filter(|(_, it)| *it == mine).map(|(_, sha256)| sha256))
    }

    async fn is_as_sent(&self, entry: &Entry) -> Result<bool, Fault> {
        let Some(sent) = entry.sent.as_ref().filter(|it| it.tag.is_none()) else {
            return Ok(false);
        };
        let theirs = self.reads_back(entry).await?;
        Ok(theirs.is_some_and(|(size, sha256)| size == sent.size && sha256 == sent.sha256))
    }

    async fn reads_back(&self, entry: &Entry) -> Result<Option<(u64, String)>, Fault> {
        let _slot = self.throttle.slot().await?;
        patiently(self.throttle, || async { self.to.read_back(&entry.place).await }).await
    }
}

/// What a browser is told that it gets.
fn kind(place: &str) -> Attributes {
    let kind = mime_guess::from_path(place).first_raw().unwrap_or("application/octet-stream");
    Attributes::from_iter([(Attribute::ContentType, kind)])
}
