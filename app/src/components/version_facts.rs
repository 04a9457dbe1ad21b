//! The versions of a deployment, one by one.

use leptos::either::Either;
use leptos::prelude::*;
use model::{EnterpriseVersion, Status};

/// A list of names and values. `status` is read once; render again to show another.
#[component]
pub fn VersionFacts(status: Status) -> impl IntoView {
    view! {
        <dl class="facts">
            <Fact name="Enterprise version"><Enterprise version=status.enterprise_version /></Fact>
            <Fact name="Compatibility version">{number(status.compatibility_version)}</Fact>
            <Fact name="Other compatible versions">
                {number(status.other_compatible_versions)}
            </Fact>
            <Fact name="Database version">
                {match status.database_version {
                    Some(version) => Either::Left(number(version)),
                    None => Either::Right(view! { <span class="muted">"Not recorded yet"</span> }),
                }}
            </Fact>
            <Fact name="MongoDB server version">{number(status.mongodb_version)}</Fact>
            <Fact name="Database">{number(status.database)}</Fact>
            <Fact name="Migrations from here"><Permission database_admin=status.database_admin /></Fact>
        </dl>
    }
}

#[component]
fn Fact<Value: IntoView + 'static>(
    name: &'static str,
    children: TypedChildren<Value>,
) -> impl IntoView {
    view! {
        <div class="fact">
            <dt>{name}</dt>
            <dd>{children.into_inner()()}</dd>
        </div>
    }
}

#[component]
fn Permission(database_admin: bool) -> impl IntoView {
    let hint = (!database_admin).then(|| {
        view! { <small class="fact-note">"FIFTYONE_DATABASE_ADMIN is not true."</small> }
    });
    view! { {if database_admin { "Allowed" } else { "Not allowed" }} {hint} }
}

#[component]
fn Enterprise(version: EnterpriseVersion) -> impl IntoView {
    let inferred = (!version.stated).then(|| {
        view! {
            <span class="badge">"inferred"</span>
            <small class="fact-note">
                "No release note states this pair; it follows from numbers and dates."
            </small>
        }
    });
    view! { {number(version.version)} {inferred} }
}

/// Versions and names as they are written elsewhere, digits aligned.
fn number(text: String) -> impl IntoView {
    view! { <span class="number">{text}</span> }
}
