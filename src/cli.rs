//! The command line: commands, their flags and their help, nothing else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Given;
use crate::hours::Day;

mod api_key;
mod flags;
mod site;
mod user;

pub use api_key::ApiKeyCommand;
pub use flags::{DATA, Flags, SERVE, STORE};
pub use site::{SiteCommand, SiteRules};
pub use user::{RoleName, UserCommand};

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
    Doctor(DoctorArgs),
    /// Make a site with made-up visitors, to look around in
    ///
    /// Ninety days of visits, the same every time. The site is marked as a demonstration wherever it is shown. Remove it with `tallyhouse site rm`.
    #[command(after_long_help = "\
Examples:
  tallyhouse demo
  tallyhouse demo --refresh
      Up to the last full hour.")]
    Demo(DemoArgs),
    /// Print the version
    Version,
    /// Becomes the embedded ClickHouse; started by `serve`.
    #[command(hide = true)]
    Engine(EngineArgs),
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
    /// Count what would be imported, and import nothing
    #[arg(long)]
    pub dry_run: bool,
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

/// `tallyhouse doctor …`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print JSON instead of a list
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub store: Flags<STORE>,
}

/// `tallyhouse demo …`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Add the hours since it was made
    #[arg(long)]
    pub refresh: bool,
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
            Command::Doctor(args) => &args.store.0,
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
