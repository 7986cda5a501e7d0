//! `tallyhouse user …`

use std::io::{IsTerminal, Read};

use serde_json::json;

use super::table::table;
use super::{Exit, Failure, accounts, print, print_json};
use crate::accounts::{Actor, NewUser, Role, User};
use crate::cli::{RoleName, UserCommand};
use crate::config::{Config, Secret};

/// Longer than any password.
const STDIN_BYTES_MAX: u64 = 4096;

pub(super) fn run(config: &Config, command: UserCommand) -> Result<(), Failure> {
    let accounts = accounts(config)?;
    match command {
        UserCommand::Add { email, name, owner, site, role, password_stdin } => {
            let site = site.map(|domain| accounts.site(&domain)).transpose()?;
            let password = password_stdin.then(read_password).transpose()?;
            let has_password = password.is_some();
            let new = NewUser { email, name, owner, password };
            let user = accounts.add_user(Actor::CommandLine, &new)?;
            if let Some(site) = site {
                accounts.grant(Actor::CommandLine, user.id, site.id, role.into())?;
            }
            print(&format!("added user {}\n", user.email))?;
            match has_password {
                true => Ok(()),
                false => {
                    print_link(config, &accounts.password_link(Actor::CommandLine, &user.email)?)
                }
            }
        }
        UserCommand::List { json } => {
            let users = accounts.users()?;
            let roles = accounts.roles()?;
            let rows = users.iter().map(|user| {
                let of_user = roles.iter().filter(|(id, ..)| *id == user.id);
                (user, of_user.map(|(_, domain, role)| (domain, *role)).collect::<Vec<_>>())
            });
            match json {
                true => print_json(&rows.map(|(user, roles)| as_json(user, &roles)).collect()),
                false => {
                    let rows: Vec<_> = rows.map(|(user, roles)| as_row(user, &roles)).collect();
                    let none =
                        "there are no users; add one with `tallyhouse user add EMAIL --owner`";
                    print(&table(&["EMAIL", "NAME", "STATE", "SITES"], &rows, none))
                }
            }
        }
        UserCommand::Grant { email, site, role } => {
            let (user, site) = (accounts.user(&email)?, accounts.site(&site)?);
            accounts.grant(Actor::CommandLine, user.id, site.id, role.into())?;
            let role = Option::<Role>::from(role).map_or("no role", Role::as_str);
            print(&format!("{} is now {role} of {}\n", user.email, site.domain))
        }
        UserCommand::Link { email } => {
            print_link(config, &accounts.password_link(Actor::CommandLine, &email)?)
        }
        UserCommand::Rm { email, yes } => {
            let user = accounts.user(&email)?;
            if !yes {
                let message =
                    format!("removing {} cannot be undone; add --yes to do it", user.email);
                return Err(Failure::new(Exit::Usage, message));
            }
            accounts.remove_user(Actor::CommandLine, &user.email)?;
            print(&format!("removed user {}\n", user.email))
        }
    }
}

impl From<RoleName> for Option<Role> {
    fn from(name: RoleName) -> Option<Role> {
        match name {
            RoleName::Viewer => Some(Role::Viewer),
            RoleName::Admin => Some(Role::Admin),
            RoleName::Owner => Some(Role::Owner),
            RoleName::None => None,
        }
    }
}

fn print_link(config: &Config, token: &Secret) -> Result<(), Failure> {
    let base = config.base_url();
    let token = token.reveal();
    print(&format!("choose a password here, once, within a day:\n{base}/setup?token={token}\n"))
}

/// The first line of standard input.
fn read_password() -> Result<Secret, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let message = "--password-stdin reads from a pipe; leave it out to get a one-time link";
        return Err(Failure::new(Exit::Usage, message));
    }
    let mut text = String::new();
    stdin.lock().take(STDIN_BYTES_MAX).read_to_string(&mut text).map_err(|error| {
        Failure::new(Exit::Io, format!("cannot read the password from standard input: {error}"))
    })?;
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}

fn as_row(user: &User, roles: &[(&String, Role)]) -> Vec<String> {
    let sites: Vec<String> = match user.owner {
        true => vec!["all (owner)".to_owned()],
        false => {
            roles.iter().map(|(domain, role)| format!("{domain} ({})", role.as_str())).collect()
        }
    };
    let state = if user.active { "active" } else { "no password yet" };
    vec![user.email.clone(), user.name.clone(), state.to_owned(), sites.join(", ")]
}

fn as_json(user: &User, roles: &[(&String, Role)]) -> serde_json::Value {
    let sites = roles.iter().map(|(domain, role)| json!({ "domain": domain, "role": role }));
    json!({
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "owner": user.owner,
        "active": user.active,
        "sites": sites.collect::<Vec<_>>(),
    })
}
