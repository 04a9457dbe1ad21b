//! Keeping values of samples and frames, and files: copied by the server itself, in bounded pieces.

use std::time::Duration;

use bson::{Document, doc, oid::ObjectId};
use futures_util::{StreamExt, TryStreamExt, stream};
use model::Labor;

use crate::{
    pass::Halt,
    progress::Control,
    store::{LONGEST_WRITE, Part, Store, Values},
};

/// How many commands look at collections side by side, as a few large ones are worth dividing.
const SIDE_BY_SIDE: usize = 4;

/// How many collections are looked at by one command, and how long that may take before each is looked at for itself,
/// and then in ranges: a scan costs a third of walking the index, a second of it is some million documents.
const TOGETHER: usize = 64;
const AT_ONCE: Duration = Duration::from_secs(1);

/// How many documents of a large collection are looked at by one command.
const RANGE_DOCUMENTS: u64 = 20_000;

/// How many chunks of a file are copied by one command.
const CHUNKS: i64 = 32;

/// What keeps for the undo journal and for the archive.
#[derive(Clone, Copy, Debug)]
pub struct Keeper<'a> {
    /// The database.
    pub store: &'a Store,
    /// To be stopped.
    pub control: &'a Control,
}

impl Keeper<'_> {
    /// Keeps parts of many collections, side by side: small ones by one command, and large ones in ranges.
    pub async fn parts(self, parts: &[Part]) -> Result<(), Halt> {
        let together = parts.len().div_ceil(SIDE_BY_SIDE).clamp(1, TOGETHER);
        let alike = parts.chunk_by(|one, next| one.replaces == next.replaces);
        let kept: Vec<_> =
            alike.flat_map(|it| it.chunks(together)).map(|it| self.together(it)).collect();
        stream::iter(kept).buffer_unordered(SIDE_BY_SIDE).try_collect::<()>().await
    }

    async fn together(self, parts: &[Part]) -> Result<(), Halt> {
        if !self.control.may_go_on().await {
            return Err(Halt::Stopped);
        }
        // Of few documents, or of none: where many are to be kept, nobody has to ask.
        let asks = parts.len() > 1 && parts.iter().all(|it| it.labor == Labor::Look);
        let any = if asks { self.store.any_to_keep(parts, AT_ONCE).await } else { Ok(true) };
        let kept = match any {
            Ok(true) => self.store.keep_values(parts, AT_ONCE).await,
            Ok(false) => return Ok(()),
            Err(failure) => Err(failure),
        };
        match kept {
            Err(failure) if failure.is_too_slow() => {}
            kept => return Ok(kept?),
        }
        for it in parts {
            match self.store.keep_values(std::slice::from_ref(it), AT_ONCE).await {
                Err(failure) if failure.is_too_slow() => self.walk(it).await?,
                kept => kept?,
            }
        }
        Ok(())
    }

    /// Keeps a part of a large collection.
    pub async fn walk(self, part: &Part) -> Result<(), Halt> {
        let (mut after, mut size) = (None, RANGE_DOCUMENTS);
        loop {
            if !self.control.may_go_on().await {
                return Err(Halt::Stopped);
            }
            let range = self.store.next_range(&part.collection, after.as_ref(), size).await?;
            let within = doc! { "$and": [range.filter(), &part.filter] };
            let piece = Part { filter: within, ..part.clone() };
            let stint = self.control.tally().stint();
            match self.store.keep_values(&[piece], LONGEST_WRITE).await {
                Err(failure) if failure.is_too_slow() && size > 1 => {
                    size = size.div_ceil(2);
                    continue;
                }
                kept => kept?,
            }
            // How many the last range has is not known.
            stint.did(part.labor, if range.until.is_some() { size } else { 0 });
            match range.until {
                Some(until) => after = Some(until),
                None => return Ok(()),
            }
        }
    }

    /// Keeps a file of results. `values`: where, for each of the two collections that it is in.
    pub async fn file(&self, file: ObjectId, values: impl Fn(&str) -> Values) -> Result<(), Halt> {
        let part = |collection: &str, filter: Document| Part {
            values: values(collection),
            collection: collection.to_owned(),
            filter,
            expression: "$$ROOT".into(),
            labor: Labor::Keep,
            replaces: true,
        };
        if !self.control.may_go_on().await {
            return Err(Halt::Stopped);
        }
        self.store.keep_values(&[part("fs.files", doc! { "_id": file })], LONGEST_WRITE).await?;
        let last = self.store.last_chunk(file).await?;
        let mut first = 0;
        while first <= last {
            if !self.control.may_go_on().await {
                return Err(Halt::Stopped);
            }
            let within = doc! { "$gte": first, "$lt": first + CHUNKS };
            let part = part("fs.chunks", doc! { "files_id": file, "n": within });
            self.store.keep_values(&[part], LONGEST_WRITE).await?;
            first += CHUNKS;
        }
        Ok(())
    }
}
