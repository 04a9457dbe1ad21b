//! One dataset, and what would become of it.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
#[cfg(feature = "ssr")]
use model::FieldRename;
use model::{DatasetView, RenamePlan as Plan};

use super::ApiError;

/// Reads what there is to know of a dataset, and what would become of it at a version. Reading changes nothing.
#[server(endpoint = "dataset", input = GetUrl)]
pub async fn shown_dataset(
    id: String,
    #[server(default)] to: String, // absent: the database's version, or the newest
) -> Result<DatasetView, ApiError> {
    let permit = super::gate::require(model::Action::PreviewMigration)?;
    Ok(expect_context::<engine::Engine>().inspect(&permit, &id, &to).await?)
}

/// What giving a field of a dataset another name would change. Reading changes nothing.
#[server(endpoint = "dataset/rename_plan", input = GetUrl)]
pub async fn rename_plan(id: String, field: String, to: String) -> Result<Plan, ApiError> {
    let permit = super::gate::require(model::Action::Repair)?;
    Ok(expect_context::<engine::Engine>().rename_plan(&permit, &id, &field, &to).await?)
}

/// Gives a field of a dataset another name, and leads to the dataset; or, if that takes long, to where one sees that it goes on.
#[server(endpoint = "dataset/rename_field")]
pub async fn rename_field(id: String, field: String, to: String) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::Repair)?;
    let engine = expect_context::<engine::Engine>();
    let ended = engine.begin_rename(&permit, &id, (&field, &to)).await?;
    let address =
        if ended { format!("/datasets/{id}") } else { FieldRename { field, to }.address(&id) };
    leptos_axum::redirect(&address);
    Ok(())
}
