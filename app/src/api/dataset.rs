//! One dataset, and what would become of it.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::DatasetView;

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
