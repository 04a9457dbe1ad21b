//! One file per route, named by what it shows.

mod not_found;
mod overview;

pub use not_found::NotFound;
pub use overview::Overview;
