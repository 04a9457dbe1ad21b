//! The vocabulary the browser and the server share: plain data, no I/O, no BSON.

mod access;
mod account;
mod cause;
mod clients;
mod csv;
mod dataset;
mod datasets;
mod diff;
pub mod estimate;
mod glance;
mod job;
pub mod media_path;
mod pace;
mod plan;
mod rights;
mod run;
pub mod sdk;
mod settings;
mod status;
mod task;
mod theme;
mod transfer;
mod value;
mod version;
mod versions;
pub mod words;

pub use access::{Action, Denied, Permit, Principal, Role, UnknownRole};
pub use account::{AccountSummary, InvitationSummary, People, Session, SessionSummary, Visitor};
pub use cause::{Cause, FailureGroup, UnknownCause};
pub use clients::{ClientGroup, Clients, Fate, Program};
pub use dataset::{
    Badge, DatasetCollection, DatasetLine, DatasetOutlook, DatasetRemedy, DatasetRun, DatasetView,
    DocumentChange, DocumentFate, FieldRename, RenamePlan, RevisionAhead, WayOfDataset,
};
pub use datasets::{
    CSV_HEAD, Catalog, DatasetPage, DatasetQuery, DatasetRow, DatasetSort, DatasetState,
    DatasetTab, Facet, FacetCounts, FacetValue, Found, MadeFor, Outlook, ROWS_ON_PAGE,
    SelectionSummary, UnknownWord, datasets_at, time_of,
};
pub use diff::{Change, Diff, Part, Place};
pub use estimate::{Amount, Basis, Estimate, Labor, Load, Rate, Rates, Span};
pub use glance::{Fact, Glance, Headline, Todo};
pub use job::{
    JobAction, JobEvent, JobState, JournalState, LogLine, NotNow, RunHand, RunSummary, RunWish,
    TRANSITIONS,
};
pub use pace::{NoPace, Pace, PaceChange, PaceFigure};
pub use plan::{
    Approval, CheckResult, DatabaseStep, Friction, Loss, MigrationPlan, NAMED, NotStarted,
    PlanChange, PlanCheck, PlanDestination, PlanGroup, PlanQuestion, PlanScope, Stakes, Started,
    UnknownScope,
};
pub use rights::{
    DatasetRights, Grant, Grantee, GranteePage, Group, Right, Rights, UnknownGrantee, UnknownRight,
};
pub use run::{
    LINES_ON_PAGE, LogPage, NumberedLine, Pulse, RUN_CSV_HEAD, RunDataset, RunFrame, RunMoment,
    RunPage, Share,
};
pub use settings::{ServerSettings, Topology};
pub use status::{EnterpriseVersion, Status, Tone, Verdict, VersionCount};
pub use task::{
    ExportQuestion, ExportReport, ImportQuestion, ImportReport, MediaReport, TaskKind,
    TaskQuestion, TaskReport, TaskState, TaskSummary,
};
pub use theme::Theme;
pub use transfer::{
    CauseReport, CleanReport, DestinationTest, FieldSurvey, FileCount, MediaSurvey, RewriteReport,
    RewrittenField, SlowFile, UploadPage, UploadQuestion, UploadReport, UploadSummary,
};
pub use value::{Scalar, Value, quoted};
pub use version::{Direction, InvalidVersion, Version};
pub use versions::{
    ClientKind, ListedRelease, Numbering, Opening, ReleaseList, Sdk, VersionCorrection,
    VersionEntry, VersionForm, VersionRow, Way, WayStep,
};
