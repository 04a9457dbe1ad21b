//! Media of datasets: what refers to it, where it would go, and taking it there.
//!
//! Knows files and object stores, no database. `fields`, `scene`, `layout` and `mapping` are pure.

mod destination;
mod fault;
pub mod fields;
pub mod hash;
pub mod layout;
pub mod manifest;
pub mod mapping;
pub mod scene;
mod source;
mod throttle;
mod upload;
mod verify;

pub use destination::{Destination, Env, Found, Probe, Probed, Provider, environment};
pub use fault::{Cause, Doing, Fault};
pub use source::Stamp;
pub use throttle::{Slot, Throttle};
pub use upload::{AT_ONCE, Done, Ledger, Part, Parts, There, Uploader};
pub use verify::Care;
