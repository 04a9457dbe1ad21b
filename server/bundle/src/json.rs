//! Extended JSON as PyMongo writes and reads it.

mod extended;
mod read;
mod scan;
mod write;

pub use read::{Unreadable, document, value};
pub use scan::{Element, Elements};
pub use write::{text, write};
