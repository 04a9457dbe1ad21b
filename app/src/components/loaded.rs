//! What a page shows of something that it has asked for.

use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use super::Notice;
use crate::api::ApiError;

/// Shows `children` with the value of `from`; before that a busy mark, and on failure the reason.
#[component]
pub fn Loaded<T, F, V>(from: Resource<Result<T, ApiError>>, children: F) -> impl IntoView
where
    T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
    F: Fn(T) -> V + Clone + Send + Sync + 'static,
    V: IntoView + Send + 'static,
{
    let shown = move || {
        let children = children.clone();
        Suspend::new(async move {
            match from.await {
                Ok(value) => children(value).into_any(),
                Err(error) => view! {
                    <Notice sentence=error.to_string()>
                        "Mend the cause, then load the page again."
                    </Notice>
                }
                .into_any(),
            }
        })
    };
    view! {
        <Transition fallback=|| view! { <p aria-busy="true">"Loading"</p> }>{shown}</Transition>
    }
}
