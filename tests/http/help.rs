//! The help, and the way to it from every page.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use http::StatusCode;
use model::Role;
use tests::App;

/// Every kind of address, and the section about it. A dataset and a run of this name are not there, and explained all the same.
const PAGES: &[(&str, &str)] = &[
    ("/", "overview"),
    ("/datasets", "datasets"),
    ("/datasets?version=0.18.0", "datasets"),
    ("/datasets/x", "dataset"),
    ("/datasets/x/rename?field=a&to=b", "dataset"),
    ("/datasets/x/rights", "rights"),
    ("/exports", "exports"),
    ("/exports/x", "exports"),
    ("/import", "import"),
    ("/import/x", "import"),
    ("/media", "media"),
    ("/media/new?dataset=cats", "media"),
    ("/media/x", "media"),
    ("/media/x/clean-up", "media"),
    ("/migrate", "migrate"),
    ("/runs", "runs"),
    ("/runs/x", "run"),
    ("/runs/x/log", "run-log"),
    ("/runs/x/pace", "run-pace"),
    ("/clients", "clients"),
    ("/versions", "versions"),
    ("/versions/new", "versions"),
    ("/sdk", "sdk"),
    ("/users", "users"),
    ("/users/ada", "rights"),
    ("/groups/x", "rights"),
    ("/members", "rights"),
    ("/settings", "settings"),
    ("/account", "account"),
    ("/help", "contents"),
    ("/nothing-here", "contents"),
];

/// What stands between the quotes after each `start`.
fn quoted<'a>(page: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(start).skip(1).filter_map(|it| it.split('"').next())
}

#[tokio::test]
async fn every_page_leads_to_a_section_of_the_help_that_is_there() -> Result<()> {
    let app = App::start().await?;
    let help = app.get("/help").await?;
    assert_eq!(help.status, StatusCode::OK);
    let help = help.text();
    let ids: Vec<&str> = quoted(&help, " id=\"").collect();
    let there: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), there.len(), "an id is there twice: {ids:?}");
    for (path, section) in PAGES {
        let page = app.get(path).await?.text();
        let links: Vec<&str> = quoted(&page, "href=\"/help").collect();
        assert_eq!(links, [format!("#{section}")], "{path}");
        assert!(there.contains(section), "the help says nothing of {section}");
    }
    // The table of contents, and what is worth reading after something.
    let within: Vec<&str> = quoted(&help, "href=\"#").collect();
    assert!(within.len() > 50, "{within:?}");
    for id in within {
        assert!(there.contains(id) || id == "content", "a link leads to {id}, which is not there");
    }
    app.stop().await
}

#[test]
fn no_page_is_left_out() -> Result<()> {
    let routes = include_str!("../../app/src/lib.rs");
    for route in quoted(routes, "path!(\"") {
        if ["/sign-in", "/invitation/:token"].contains(&route) {
            continue; // Nobody has signed in yet.
        }
        let like = |path: &str| {
            let path = path.split('?').next().unwrap_or_default();
            let (path, route) = (path.split('/'), route.split('/'));
            path.clone().count() == route.clone().count()
                && path.zip(route).all(|(part, it)| part == it || it.starts_with(':'))
        };
        PAGES.iter().find(|(path, _)| like(path)).with_context(|| format!("{route} is new"))?;
    }
    Ok(())
}

#[tokio::test]
async fn the_help_is_for_every_role_and_takes_no_scripts() -> Result<()> {
    let app = App::start().await?;
    for role in Role::ALL {
        let cookie = app.sign_up(&format!("somebody who is {role}"), role).await?;
        let help = app.get_as(&cookie, "/help").await?;
        assert_eq!(help.status, StatusCode::OK, "{role}");
        assert!(help.text().contains("What happens if I close the browser?"), "{role}");
        assert!(!help.text().contains("fiftyone-migrate.js"), "scripts are loaded");
    }
    let nobody = app.get_as("", "/help").await?;
    assert_eq!(nobody.headers["location"], "/sign-in?next=%2Fhelp");
    assert!(!app.get_as("", "/sign-in").await?.text().contains("href=\"/help"));
    app.stop().await
}
