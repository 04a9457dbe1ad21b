//! Who may do what with which datasets, and the groups of people who are given rights together: for admins.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use model::{DatasetRights, GranteePage, Group};

use super::ApiError;
#[cfg(feature = "ssr")]
use model::Grantee;

/// Every group.
#[server(endpoint = "groups", input = GetUrl)]
pub async fn all_groups() -> Result<Vec<Group>, ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    Ok(expect_context::<engine::Engine>().accounts().groups(&permit).await?)
}

/// What somebody may do with which datasets. `about`: as [`model::Grantee`] is written.
#[server(endpoint = "rights", input = GetUrl)]
pub async fn rights_of(about: String) -> Result<GranteePage, ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    let about = read(&about)?;
    Ok(expect_context::<engine::Engine>().accounts().rights_of(&permit, &about).await?)
}

/// Who may do what with a dataset.
#[server(endpoint = "rights/dataset", input = GetUrl)]
pub async fn rights_to(id: String) -> Result<DatasetRights, ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    Ok(expect_context::<engine::Engine>().accounts().rights_to(&permit, &id).await?)
}

/// Gives a right, and leads back to the page of whom or what it is about.
#[server(endpoint = "rights/give")]
pub async fn give_right(
    to: String,                          // as `Grantee` is written
    #[server(default)] dataset: String,  // its name or id; empty: all of which nothing else is said
    right: String,                       // `none`, or a word of `Right`
    #[server(default)] of_dataset: bool, // whether it was asked for on the page of the dataset
) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    let to = read(&to)?;
    let right = match right.as_str() {
        "none" => None,
        word => Some(word.parse().map_err(|it: model::UnknownRight| refused(&it))?),
    };
    let on = Some(dataset.trim()).filter(|it| !it.is_empty());
    let accounts = expect_context::<engine::Engine>().accounts();
    accounts.give_right(&permit, &to, on, right).await?;
    leptos_axum::redirect(&page(&to, Some(dataset.trim()).filter(|_| of_dataset)));
    Ok(())
}

/// Takes a right back, and leads back to where that was asked for.
#[server(endpoint = "rights/take")]
pub async fn take_right(
    to: String,
    #[server(default)] dataset: String, // its id; empty: all of which nothing else is said
    #[server(default)] of_dataset: bool,
    #[server(default)] page_of: String, // whose page it was asked for on, where it is not that of `to`
) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    let to = read(&to)?;
    let on = Some(dataset.as_str()).filter(|it| !it.is_empty());
    expect_context::<engine::Engine>().accounts().take_right(&permit, &to, on).await?;
    let back = if page_of.is_empty() { to } else { read(&page_of)? };
    leptos_axum::redirect(&page(&back, on.filter(|_| of_dataset)));
    Ok(())
}

/// Makes a group, and leads to its page.
#[server(endpoint = "groups/make")]
pub async fn make_group(name: String) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    let id = expect_context::<engine::Engine>().accounts().make_group(&permit, &name).await?;
    leptos_axum::redirect(&page(&Grantee::Group(id), None));
    Ok(())
}

/// Removes a group, and what was given to it.
#[server(endpoint = "groups/remove")]
pub async fn remove_group(group: String) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    expect_context::<engine::Engine>().accounts().remove_group(&permit, &group).await?;
    leptos_axum::redirect("/users");
    Ok(())
}

/// Lets somebody into a group, or out of it.
#[server(endpoint = "groups/change")]
pub async fn change_group(
    group: String,
    account: String,
    is_in: bool,
    #[server(default)] page_of: String, // on whose page it was asked for, where it is not that of the group
) -> Result<(), ApiError> {
    let permit = super::gate::require(model::Action::ManageUsers)?;
    let accounts = expect_context::<engine::Engine>().accounts();
    accounts.change_group(&permit, &group, &account, is_in).await?;
    let back = if page_of.is_empty() { Grantee::Group(group) } else { read(&page_of)? };
    leptos_axum::redirect(&page(&back, None));
    Ok(())
}

#[cfg(feature = "ssr")]
fn read(text: &str) -> Result<Grantee, ApiError> {
    text.parse().map_err(|it: model::UnknownGrantee| refused(&it))
}

#[cfg(feature = "ssr")]
fn refused(why: &dyn std::error::Error) -> ApiError {
    super::gate::refuse(ApiError::Refused { reason: why.to_string() })
}

/// The page of a dataset's rights, or of somebody's.
#[cfg(feature = "ssr")]
fn page(of: &Grantee, dataset: Option<&str>) -> String {
    match dataset {
        Some(dataset) => DatasetRights::address(dataset),
        None => of.address(),
    }
}
