//! The `FiftyOneDataset` folder, as FiftyOne exports and imports it: read and written in constant memory, without a database.

mod archive;
mod fault;
mod folder;
pub mod json;
mod writer;

pub use archive::{Kind, unpack};
pub use fault::Fault;
pub use folder::{Documents, Folder, Piece, RUN_KINDS, RunKind};
pub use writer::{CollectionWriter, write_document};
