//! What tests share: throwaway MongoDB servers, databases to migrate, the program itself, and a browser.
//!
//! Programs are found by `FIFTYONE_MONGOD`, `CHROMEDRIVER` and `CHROMIUM`, or else in `PATH`; the
//! script of axe-core (npm) by `AXE_JS`, the path of its `axe.min.js`.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

pub mod app;
pub mod browser;
pub mod check;
mod deployment;
mod dice;
mod documents;
pub mod http;
pub mod mongo;
mod mongod;
mod onlooker;
mod program;
pub mod ready;
mod request;
mod runs;
mod state;
pub mod stores;
mod timeless;
mod wire;

pub use app::{ADMIN, App, PASSWORD, connect, connect_as};
pub use browser::Browser;
pub use deployment::{Deployment, Dump};
pub use dice::Dice;
pub use documents::{
    NEWEST, image_dataset, image_samples, video_dataset, video_frames, video_samples,
};
pub use mongo::Mongo;
pub use mongod::{Mongod, mongod_binary};
pub use onlooker::Onlooker;
pub use program::{Ended, Program, Running};
pub use request::{console, permit_of, to};
pub use state::{BOUNDARIES, State, ways_down, ways_up};
pub use timeless::{assert_same, sorted, timeless};
pub use wire::{Cut, Wire, Write};

/// The compiled `fiftyone-migrate`; a test calls it as `program!()`, for only there Cargo says where it is.
#[macro_export]
macro_rules! program {
    ($arguments:expr) => {
        $crate::Program::at(env!("CARGO_BIN_EXE_program_under_test"), $arguments)
    };
}
