//! `tallyhouse sql`: one read-only statement, through the same store as everything else.

use super::connect::connect;
use super::{Failure, print, wait};
use crate::cli::SqlArgs;
use crate::config::Config;

pub(super) fn run(config: &Config, args: &SqlArgs) -> Result<(), Failure> {
    let text = wait(async {
        let connected = connect(config).await?;
        let text = connected.store.text(&args.query, &args.format).await;
        connected.close().await;
        Ok(text?)
    })?;
    print(&text)
}
