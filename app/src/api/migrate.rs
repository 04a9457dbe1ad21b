//! Seeing what a migration would do, and starting it.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{Approval, MigrationPlan, PlanDestination, PlanQuestion, Started};

use super::ApiError;

/// The versions that everything can be taken to, newest first.
#[server(endpoint = "migration_destinations", input = GetUrl)]
pub async fn migration_destinations() -> Result<Vec<PlanDestination>, ApiError> {
    super::gate::require(model::Action::PreviewMigration)?;
    Ok(expect_context::<engine::Engine>().destinations().await?)
}

/// What a migration would do. Reading changes nothing.
#[server(endpoint = "preview_migration", input = GetUrl)]
pub async fn preview_migration(question: PlanQuestion) -> Result<MigrationPlan, ApiError> {
    let permit = super::gate::require(model::Action::PreviewMigration)?;
    Ok(expect_context::<engine::Engine>().preview(&permit, &question).await?)
}

/// Starts a migration whose plan was seen, which for members is that of one dataset that they may manage, and leads to its run; or, where nothing was started, to the plan as it is now.
#[server(endpoint = "start_migration")]
pub async fn start_migration(
    question: PlanQuestion,
    approval: Approval,
    password: Option<String>, // once more, for a downgrade
) -> Result<Started, ApiError> {
    let permit = super::gate::require(model::Action::MigrateDataset)?;
    let engine = expect_context::<engine::Engine>();
    let confirmed = match password.as_deref().filter(|it| !it.is_empty()) {
        Some(password) => Some(engine.accounts().confirm(&permit, password).await?),
        None => None,
    };
    let started = engine.start(&permit, &question, &approval, confirmed.as_ref()).await?;
    leptos_axum::redirect(&started.address(&question));
    Ok(started)
}
