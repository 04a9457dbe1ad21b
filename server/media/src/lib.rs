//! Media of datasets: what refers to it, where it would go, and taking it there.
//!
//! Knows files and object stores, no database. `fields`, `scene` and `layout` and `mapping` are pure.

mod fault;
pub mod fields;
pub mod hash;
pub mod layout;
pub mod mapping;
pub mod scene;

pub use fault::{Cause, Doing, Fault, of_store};
