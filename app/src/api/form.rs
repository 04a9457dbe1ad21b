//! Forms that the browser posts by itself to a server function, after which it loads a page anew.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::server_fn::error::ServerFnUrlError;
use leptos_router::hooks::use_query_map;

use super::ApiError;

/// Where a form goes that calls this server function.
pub fn address<S: ServerFn>() -> &'static str {
    S::url()
}

/// The address of a page that says what a form was answered, as if the server function had; `None` if there is no such page.
#[cfg(feature = "ssr")]
pub fn refused_on<S: ServerFn<Error = ApiError>>(page: &str, error: ApiError) -> Option<String> {
    let told = ServerFnUrlError::<ApiError>::new(S::PATH, error);
    let address = told.to_url(&format!("http://localhost{page}")).ok()?;
    Some(format!("{page}?{}", address.query()?))
}

/// What the server function said to the form that was just posted, if it refused: it is in the address of the page.
pub fn refusal<S: ServerFn<Error = ApiError>>() -> Option<ApiError> {
    refusal_of(S::PATH)
}

// Not a `ServerAction`, which brings all that it takes to call the function from a script, once for each.
fn refusal_of(path: &str) -> Option<ApiError> {
    use_query_map().with_untracked(|query| {
        let ours = query.get_str("__path").is_some_and(|it| it == path);
        let error = query.get_str("__err").filter(|_| ours)?;
        Some(ServerFnUrlError::<ApiError>::decode_err(error))
    })
}
