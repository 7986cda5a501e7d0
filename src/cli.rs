//! The command line: commands, their flags and their help, nothing else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Given;
use crate::hours::Day;

mod flags;

pub use flags::{DATA, Flags, SERVE, STORE};

/// Web analytics that never loses an accepted hit and never counts one twice.
#[derive(Debug, Parser)]
#[command(
    name = "tallyhouse",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = FIRST_STEPS
)]
pub struct Cli {
    #[command(flatten)]
    pub data: Flags<DATA>,
    #[command(subcommand)]
    pub command: Command,
}

const FIRST_STEPS: &str = "\
First steps:
  tallyhouse serve                          then open the link it prints
  tallyhouse site add example.org --timezone Europe/Berlin
  tallyhouse demo                           a site with made-up visitors, to look around in

Every setting is a flag, a variable (--data-dir is TALLYHOUSE_DATA_DIR) or a key in the --config
file (data-dir = \"./data\"); the first of these that is given counts. Secrets are variables only:
TALLYHOUSE_SECRET, TALLYHOUSE_CLICKHOUSE_PASSWORD, or the same with _FILE to read them from a file.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Collect events and show the dashboard
    ///
    /// Collects events, keeps them in a log on disk, moves them into ClickHouse, and shows the
    /// dashboard. Runs until it gets SIGTERM or SIGINT. At the first start it prints a link with which
    /// to make the first user.
    #[command(after_long_help = "\
Examples:
  tallyhouse serve
      Everything in ./data, reachable from this machine only.
  tallyhouse serve --data-dir /var/lib/tallyhouse --public-url https://stats.example.org \\
      --trusted-proxy 127.0.0.1
      Behind a web server on the same machine that does TLS and sets X-Forwarded-For.
  TALLYHOUSE_CLICKHOUSE_PASSWORD_FILE=/run/secrets/clickhouse \\
  tallyhouse serve --clickhouse-url http://ch.internal:8123 --clickhouse-user tallyhouse
      With a ClickHouse of your own.")]
    Serve(Flags<SERVE>),
    /// Add, list, change and remove sites
    ///
    /// A site is what is tracked: a domain with a time zone and rules. A running daemon sees changes
    /// within a second.
    #[command(subcommand)]
    Site(SiteCommand),
    /// Add, list and remove users, and say what they may see
    #[command(subcommand)]
    User(UserCommand),
    /// Make, list and revoke API keys
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// Read visits from elsewhere into a site
    #[command(subcommand)]
    Import(ImportCommand),
    /// Compute finished days of a site again from its raw events
    ///
    /// Needed when a rule changed, such as the list of bots. Only days whose raw events are still kept
    /// can be computed again.
    #[command(after_long_help = "\
Example:
  tallyhouse rebuild --site example.org --from 2026-10-01 --to 2026-10-31
      The whole of October, both dates included.")]
    Rebuild(RebuildArgs),
    /// Ask ClickHouse in SQL
    ///
    /// Runs one statement in the daemon's ClickHouse and prints the answer. It sees all sites.
    #[command(after_long_help = "\
Examples:
  tallyhouse sql \"SELECT count() FROM events\"
  tallyhouse sql \"SELECT * FROM daily_pages WHERE site_id = 1\" --format CSVWithNames > pages.csv
  tallyhouse sql \"SHOW CREATE TABLE events\" --format TSVRaw")]
    Sql(SqlArgs),
    /// Look into the log of events that are not yet in ClickHouse
    #[command(subcommand)]
    Wal(WalCommand),
    /// Check that everything is as it should be
    ///
    /// Looks at settings, files, disk, clock and ClickHouse, and says for each problem what to do.
    #[command(after_long_help = "\
Example:
  tallyhouse doctor --data-dir /var/lib/tallyhouse")]
    Doctor(Flags<STORE>),
    /// Make a site with made-up visitors, to look around in
    ///
    /// The site is marked as a demonstration wherever it is shown. Remove it with `tallyhouse site rm`.
    #[command(after_long_help = "\
Examples:
  tallyhouse demo
  tallyhouse demo --days 90 --domain demo.example.org")]
    Demo(DemoArgs),
    /// Print the version
    Version,
    /// Becomes the embedded ClickHouse; started by `serve`.
    #[command(hide = true)]
    Engine(EngineArgs),
}

/// `tallyhouse site …`
#[derive(Debug, Subcommand)]
pub enum SiteCommand {
    /// Add a site
    #[command(after_long_help = "\
Examples:
  tallyhouse site add example.org --timezone Europe/Berlin
  tallyhouse site add example.org --hostnames 'shop.example.net,*.example.com' --respect-gpc true
      Events from these hosts count too, and browsers that send Sec-GPC: 1 are not counted.
  tallyhouse site add example.org --exclude-addresses 192.0.2.0/24 --exclude-pages '/admin/*'
      Without the visits of your own office, and without those of the admin pages.")]
    Add {
        /// The site's domain, such as example.org
        domain: String,
        #[command(flatten)]
        rules: SiteRules,
    },
    /// List all sites
    List {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Change a site's settings; what is not named stays
    #[command(after_long_help = "\
Examples:
  tallyhouse site set example.org --timezone America/New_York
      Hours and days from now on; those that are over stay as they are.
  tallyhouse site set example.org --exclude-pages ''
      An empty list clears it.")]
    Set {
        /// The site's domain
        domain: String,
        #[command(flatten)]
        rules: SiteRules,
    },
    /// Remove a site
    ///
    /// Its events are no longer taken and nobody can read it. Its number is never given to another.
    Rm {
        /// The site's domain
        domain: String,
        /// Yes, remove it
        #[arg(long)]
        yes: bool,
    },
}

/// A site's settings.
#[derive(Debug, Default, Args)]
pub struct SiteRules {
    /// Time zone of its hours and days, an IANA name [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// Hosts that may send events too, `*.example.net` for all below one
    #[arg(long, value_name = "HOST,…", value_delimiter = ',')]
    pub hostnames: Option<Vec<String>>,
    /// Do not count these addresses or networks
    #[arg(long, value_name = "CIDR,…", value_delimiter = ',')]
    pub exclude_addresses: Option<Vec<String>>,
    /// Do not count these countries, by their codes of two letters
    #[arg(long, value_name = "CODE,…", value_delimiter = ',')]
    pub exclude_countries: Option<Vec<String>>,
    /// Do not count these paths; `*` stands for anything
    #[arg(long, value_name = "PATH,…", value_delimiter = ',')]
    pub exclude_pages: Option<Vec<String>>,
    /// Do not count browsers that send DNT: 1
    #[arg(long, value_name = "BOOL")]
    pub respect_dnt: Option<bool>,
    /// Do not count browsers that send Sec-GPC: 1
    #[arg(long, value_name = "BOOL")]
    pub respect_gpc: Option<bool>,
    /// Keep raw events this many days; reports stay [default: 180]
    #[arg(long, value_name = "DAYS")]
    pub retention_days: Option<u16>,
    /// Leave visits from data centres out of the reports
    #[arg(long, value_name = "BOOL")]
    pub mark_data_centres: Option<bool>,
}

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

/// `tallyhouse import …`
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Read page views from a web server's access log (combined format, plain or .gz)
    #[command(after_long_help = "\
Example:
  tallyhouse import access-log /var/log/nginx/access.log --site example.org
      Run it again when the log has grown: what was read before is not counted twice.")]
    AccessLog(AccessLogArgs),
}

/// `tallyhouse import access-log …`
#[derive(Debug, Args)]
pub struct AccessLogArgs {
    /// The log file
    pub file: PathBuf,
    /// The site's domain
    #[arg(long, value_name = "DOMAIN")]
    pub site: String,
    #[command(flatten)]
    pub store: Flags<STORE>,
}

/// `tallyhouse rebuild …`
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// The site's domain
    #[arg(long, value_name = "DOMAIN")]
    pub site: String,
    /// First day, in the site's time zone
    #[arg(long, value_name = "DATE")]
    pub from: Day,
    /// Last day, included
    #[arg(long, value_name = "DATE")]
    pub to: Day,
    #[command(flatten)]
    pub store: Flags<STORE>,
}

/// `tallyhouse sql …`
#[derive(Debug, Args)]
pub struct SqlArgs {
    /// The statement
    pub query: String,
    /// ClickHouse's name of the output format
    #[arg(long, value_name = "NAME", default_value = "PrettyCompactMonoBlock")]
    pub format: String,
    #[command(flatten)]
    pub store: Flags<STORE>,
}

/// `tallyhouse wal …`
#[derive(Debug, Subcommand)]
pub enum WalCommand {
    /// Show segments, hours and events
    Inspect {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Read every entry and check it; changes nothing
    Verify,
}

/// `tallyhouse demo …`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The site's domain
    #[arg(long, default_value = "demo.example.org")]
    pub domain: String,
    /// How many days back its visits go
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub days: u16,
    /// The same number makes the same visits
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    pub store: Flags<STORE>,
}

/// `tallyhouse engine …`
#[derive(Debug, Args)]
pub struct EngineArgs {
    #[arg(long)]
    pub dir: PathBuf,
    #[arg(long)]
    pub library: PathBuf,
}

impl Cli {
    /// All settings given as flags.
    pub fn given(&self) -> Given {
        let mut given = self.data.0.clone();
        let more = match &self.command {
            Command::Serve(flags) => &flags.0,
            Command::Doctor(flags) => &flags.0,
            Command::Import(ImportCommand::AccessLog(args)) => &args.store.0,
            Command::Rebuild(args) => &args.store.0,
            Command::Sql(args) => &args.store.0,
            Command::Demo(args) => &args.store.0,
            _ => return given,
        };
        given.extend(more.clone());
        given
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Cli;

    #[test]
    fn the_definitions_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_are_given_before_and_after_the_command() {
        let given = |line: &str| Cli::try_parse_from(line.split(' ')).unwrap().given();
        let texts = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        for line in ["tallyhouse --data-dir d site list", "tallyhouse site list --data-dir d"] {
            assert_eq!(given(line)["data-dir"], texts(&["d"]));
        }
        let serve = given(
            "tallyhouse serve --trusted-proxy ::1 --trusted-proxy 10.0.0.0/8 --clock-offset -60",
        );
        assert_eq!(serve["trusted-proxy"], texts(&["::1", "10.0.0.0/8"]));
        assert_eq!(serve["clock-offset"], texts(&["-60"]));
        assert_eq!(serve.len(), 2, "only what was given");
    }
}
