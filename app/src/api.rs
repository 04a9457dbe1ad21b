//! Server functions, one file per subject: nothing else talks to the server.

mod error;
#[cfg(feature = "ssr")]
mod gate;
mod status;

pub use error::ApiError;
pub use status::{DeploymentStatus, deployment_status};
