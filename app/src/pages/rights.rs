//! `/users/{name}`, `/groups/{name}`, `/members` and `/datasets/{id}/rights`: who may do what with which datasets.

mod dataset;
mod grantee;
mod grants;

use leptos::prelude::*;

pub use dataset::RightsToDataset;
pub use grantee::{RightsOfGroup, RightsOfMembers, RightsOfPerson};

use crate::api::{ChangeGroup, GiveRight, MakeGroup, RemoveGroup, TakeRight, form};
use crate::components::Notice;

/// What was said to the form that was just posted, if it was refused.
#[component]
pub fn Refused() -> impl IntoView {
    let refused = [
        form::refusal::<GiveRight>(),
        form::refusal::<TakeRight>(),
        form::refusal::<ChangeGroup>(),
        form::refusal::<MakeGroup>(),
        form::refusal::<RemoveGroup>(),
    ];
    let notice = |error: crate::api::ApiError| {
        view! { <Notice sentence=error.to_string()>"Nothing was changed."</Notice> }
    };
    refused.into_iter().flatten().map(notice).collect_view()
}
