//! `tallyhouse api-key …`

use clap::Subcommand;

/// `tallyhouse api-key …`
#[derive(Debug, Subcommand)]
pub enum ApiKeyCommand {
    /// Make a key and print it, this once
    #[command(after_long_help = "\
Examples:
  tallyhouse api-key create --label 'weekly report' --site example.org
      Reads this one site.
  tallyhouse api-key create --label terraform --user ann@example.org --scope stats:read,sites:write
      Does what Ann may do, within these scopes.

Use it as a header:
  curl -H \"Authorization: Bearer th_…\" https://stats.example.org/api/me")]
    Create {
        /// What it is for, to recognise it in the list
        #[arg(long, value_name = "TEXT")]
        label: String,
        /// Reads this site
        #[arg(
            long,
            value_name = "DOMAIN",
            required_unless_present = "user",
            conflicts_with = "user"
        )]
        site: Option<String>,
        /// Acts for this user
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// What it may do: stats:read, sites:write
        #[arg(long, value_name = "SCOPE,…", value_delimiter = ',', default_value = "stats:read")]
        scope: Vec<String>,
    },
    /// List all keys; the keys themselves are not kept
    List {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// End a key for good
    Revoke {
        /// Its number in the list
        id: i64,
    },
}
