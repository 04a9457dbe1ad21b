//! One file per component.

mod masthead;
mod notice;
mod refresh_form;
mod verdict_banner;
mod version_chart;
mod version_facts;

pub use masthead::Masthead;
pub use notice::Notice;
pub use refresh_form::RefreshForm;
pub use verdict_banner::VerdictBanner;
pub use version_chart::VersionChart;
pub use version_facts::VersionFacts;
