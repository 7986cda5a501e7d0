//! `tallyhouse user …`

use clap::{Subcommand, ValueEnum};

/// `tallyhouse user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user and print a one-time link with which they choose a password
    #[command(after_long_help = "\
Examples:
  tallyhouse user add ann@example.org --owner
      May do everything on every site. The link works once, for a day.
  tallyhouse user add bob@example.org --site example.org --role viewer
      May read this site.
  pass show tallyhouse | tallyhouse user add ann@example.org --owner --password-stdin
      With a password, and without a link.")]
    Add {
        /// Their email address, with which they sign in
        email: String,
        /// Their name, as shown to others
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
        /// May do everything on every site
        #[arg(long)]
        owner: bool,
        /// A site they may see
        #[arg(long, value_name = "DOMAIN")]
        site: Option<String>,
        /// What they may do there
        #[arg(long, value_name = "ROLE", default_value = "viewer", requires = "site")]
        role: RoleName,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List all users
    List {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Give a user a role on a site, or take it away
    #[command(after_long_help = "\
Examples:
  tallyhouse user grant bob@example.org --site example.org --role admin
  tallyhouse user grant bob@example.org --site example.org --role none")]
    Grant {
        /// Their email address
        email: String,
        /// The site's domain
        #[arg(long, value_name = "DOMAIN")]
        site: String,
        /// What they may do there
        #[arg(long, value_name = "ROLE")]
        role: RoleName,
    },
    /// Print a one-time link with which a user chooses a new password
    Link {
        /// Their email address
        email: String,
    },
    /// Remove a user with their sessions and API keys
    Rm {
        /// Their email address
        email: String,
        /// Yes, remove them
        #[arg(long)]
        yes: bool,
    },
}

/// A role, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Reads
    Viewer,
    /// Reads and changes settings
    Admin,
    /// Everything
    Owner,
    /// Nothing any more
    None,
}
