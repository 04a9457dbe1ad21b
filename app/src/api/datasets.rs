//! The datasets there are, and selecting some of them.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{DatasetPage, SelectionSummary};

use super::ApiError;

/// A page of the datasets that one has a right to. `query`: that of the page's address, see [`model::DatasetQuery`]. Reading changes nothing.
#[server(endpoint = "datasets", input = GetUrl)]
pub async fn find_datasets(#[server(default)] query: String) -> Result<DatasetPage, ApiError> {
    let permit = super::gate::require(model::Action::ReadDatasets)?;
    let query = model::DatasetQuery::parse(&query);
    Ok(expect_context::<engine::Engine>().dataset_page(&permit, &query).await?)
}

/// Freezes which datasets were selected, and leads to the plan for them: those with these ids, or all that are looked for.
#[server(endpoint = "datasets/select")]
pub async fn select_datasets(
    query: String,
    #[server(default)] ids: Vec<String>, // absent where no box is checked
    #[server(default)] all: bool,        // absent where it is about those that are checked
) -> Result<SelectionSummary, ApiError> {
    let permit = super::gate::require(model::Action::PreviewMigration)?;
    let query = model::DatasetQuery::parse(&query);
    let ids = (!all).then_some(ids.as_slice());
    let selection = expect_context::<engine::Engine>().select(&permit, &query, ids).await?;
    leptos_axum::redirect(&format!("/migrate?selection={}", selection.id));
    Ok(selection)
}
