//! `tallyhouse site …`

use clap::{Args, Subcommand};

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
