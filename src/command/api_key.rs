//! `tallyhouse api-key …`

use serde_json::json;

use super::table::table;
use super::{Exit, Failure, accounts, print, print_json};
use crate::accounts::{Actor, ApiKey, KeyFor, Scope};
use crate::cli::ApiKeyCommand;
use crate::config::{Config, hint};

pub(super) fn run(config: &Config, command: ApiKeyCommand) -> Result<(), Failure> {
    let accounts = accounts(config)?;
    match command {
        ApiKeyCommand::Create { label, site, user, scope } => {
            let scopes = scope.iter().map(|name| named(name)).collect::<Result<Vec<_>, _>>()?;
            let of = match (site, user) {
                (Some(domain), _) => KeyFor::Site(accounts.site(&domain)?.id),
                (None, Some(email)) => KeyFor::User(accounts.user(&email)?.id),
                (None, None) => {
                    return Err(Failure::new(Exit::Usage, "name a --site or a --user"));
                }
            };
            let key = accounts.create_key(Actor::CommandLine, &label, &scopes, of)?;
            print(&format!("keep this key; it cannot be shown again:\n{}\n", key.reveal()))
        }
        ApiKeyCommand::List { json } => {
            let keys = accounts.keys()?;
            match json {
                true => print_json(&json!(keys)),
                false => {
                    let rows: Vec<_> = keys.iter().map(as_row).collect();
                    let header = ["ID", "LABEL", "FOR", "SCOPES", "CREATED", "LAST USED", "STATE"];
                    let none = "there are no API keys; make one with `tallyhouse api-key create`";
                    print(&table(&header, &rows, none))
                }
            }
        }
        ApiKeyCommand::Revoke { id } => {
            accounts.revoke_key(Actor::CommandLine, id)?;
            print(&format!("revoked API key {id}\n"))
        }
    }
}

fn named(name: &str) -> Result<Scope, Failure> {
    Scope::named(name).ok_or_else(|| {
        let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let hint = hint(name, &known);
        let message = format!("there is no scope `{name}`{hint}; use {}", known.join(" or "));
        Failure::new(Exit::Usage, message)
    })
}

fn as_row(key: &ApiKey) -> Vec<String> {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    vec![
        key.id.to_string(),
        key.label.clone(),
        key.site.clone().or_else(|| key.user.clone()).unwrap_or_default(),
        scopes.join(", "),
        key.created.clone(),
        key.last_used.clone().unwrap_or_else(|| "never".to_owned()),
        if key.revoked { "revoked" } else { "in force" }.to_owned(),
    ]
}
