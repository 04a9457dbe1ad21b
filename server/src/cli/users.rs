//! `users`: who may sign in to the web app, for whoever has a shell: also where no admin can sign in any more.

use std::{net::SocketAddr, process::ExitCode};

use engine::{AccountError, Engine, Token};
use model::{AccountSummary, Action, InvitationSummary};
use serde_json::json;

use super::{Output, UsersArgs, UsersCommand, console::permit};
use crate::web::Reach;

/// Where `serve` listens unless it is told otherwise.
const LOCAL: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8051);

/// Lists, invites or lets somebody in again, as asked.
pub async fn users(engine: &Engine, args: &UsersArgs, output: Output) -> ExitCode {
    let reach = args.url.clone().unwrap_or_default();
    let done = match &args.command {
        None | Some(UsersCommand::List) => list(engine, output).await,
        Some(UsersCommand::Invite { role, note }) => {
            let invited = async {
                engine.accounts().invite(&permit(Action::ManageUsers)?, *role, note).await
            };
            let what =
                format!("With this link, once and within seven days, somebody becomes {role}:");
            told(invited.await, &what, &reach, output)
        }
        Some(UsersCommand::Reset { name }) => {
            let reset =
                async { engine.accounts().reset(&permit(Action::ManageUsers)?, name).await };
            let what = format!(
                "With this link, once and within an hour, `{}` chooses a new password; until then the old one holds:",
                engine::printable(name)
            );
            told(reset.await, &what, &reach, output)
        }
    };
    done.unwrap_or_else(|error| output.error(&error.to_string()))
}

async fn list(engine: &Engine, output: Output) -> Result<ExitCode, AccountError> {
    let (accounts, permit) = (engine.accounts(), permit(Action::ManageUsers)?);
    let (people, invited) = (accounts.list(&permit).await?, accounts.invitations(&permit).await?);
    output.document(&json!({ "accounts": people, "invitations": invited }));
    if people.is_empty() {
        output.line(
            "Nobody has an account yet: `fiftyone-migrate serve` prints a link for the first admin",
        );
    }
    for line in people.iter().map(account).chain(invited.iter().map(invitation)) {
        output.line(&line);
    }
    Ok(ExitCode::SUCCESS)
}

fn told(
    token: Result<Token, AccountError>,
    what: &str,
    reach: &Reach,
    output: Output,
) -> Result<ExitCode, AccountError> {
    let link = reach.link(LOCAL, &format!("/invitation/{}", token?.text()));
    output.document(&json!({ "link": link }));
    output.line(what);
    output.line(&format!("  {link}"));
    if !reach.is_public() {
        output.line(
            "If the server listens elsewhere, put its address in front, or give it with `--url`",
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn account(it: &AccountSummary) -> String {
    let disabled = if it.disabled { ", disabled" } else { "" };
    let seen = it.last_seen.as_deref().unwrap_or("never");
    let sessions = model::words::counted(it.sessions, "session");
    format!("{}: {}{disabled}, last seen {seen}, {sessions}", engine::printable(&it.name), it.role)
}

fn invitation(it: &InvitationSummary) -> String {
    let what = match &it.resets {
        Some(name) => format!("new password for {}", engine::printable(name)),
        None => format!("invited as {}", it.role),
    };
    let note = if it.note.is_empty() { String::new() } else { format!(" ({})", it.note) };
    format!("{what}{note} by {}, until {}", it.by, it.expires)
}
