//! The parts of `fiftyone-migrate` that the browser must never see.

// Views are types, and a page is a deep one.
#![recursion_limit = "256"]

pub mod cli;
pub mod embedded;
mod serve;
pub mod settings;
mod signal;
pub mod web;

/// Folding documents is little else than making and dropping small strings: the system's allocator takes a third of
/// the time for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
