//! `tallyhouse wal …`: looks into the log without touching it; the daemon may run meanwhile.

use serde_json::json;

use super::{Exit, Failure, print, print_json};
use crate::cli::WalCommand;
use crate::config::Config;
use crate::wal;

pub(super) fn run(config: &Config, command: &WalCommand) -> Result<(), Failure> {
    let dir = config.data_dir.join("wal");
    let failed = |error: wal::WalError| Failure::new(Exit::Io, error.to_string());
    match command {
        WalCommand::Inspect { json } => {
            let report = wal::inspect(&dir).map_err(failed)?;
            match json {
                true => print_json(&json!(report)),
                false => print(&report.to_string()),
            }
        }
        WalCommand::Verify => {
            let report = wal::verify(&dir).map_err(failed)?;
            print(&report.to_string())?;
            match report.is_sound() {
                true => Ok(()),
                false => {
                    let message = "the log is damaged; the next start sets the damaged parts aside in \
                                   quarantine/ and keeps the rest";
                    Err(Failure::new(Exit::Data, message))
                }
            }
        }
    }
}
