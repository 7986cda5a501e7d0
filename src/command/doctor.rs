//! `tallyhouse doctor`

use super::connect::external;
use super::{Exit, Failure, print, wait};
use crate::cli::DoctorArgs;
use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::{self, Setup, Verdict};

pub(super) fn run(config: &Config, args: &DoctorArgs) -> Result<(), Failure> {
    let setup = Setup {
        data_dir: config.data_dir.clone(),
        wal_dir: config.data_dir.join("wal"),
        geo_dir: config.ingest.geo_dir.clone(),
        accounts_file: config.accounts_file(),
        clock: Clock::system(config.clock_offset_ms),
        listen_is_loopback: config.server.listen.ip().is_loopback(),
        trusted_proxies: config.server.trusted_proxies.len(),
        engine_library: config.engine.library.clone(),
        program: std::env::current_exe().map_err(|error| {
            Failure::new(Exit::Io, format!("cannot find this program: {error}"))
        })?,
        external: external(config),
        database: config.clickhouse.database.clone(),
    };
    let diagnosis = wait(async { Ok(doctor::examine(&setup).await) })?;
    match args.json {
        true => print(&format!("{}\n", diagnosis.json()))?,
        false => print(&format!("{diagnosis}\n"))?,
    }
    match diagnosis.verdict() {
        Verdict::Fail => Err(Failure::new(Exit::Failed, "a check failed; see above")),
        Verdict::Ok | Verdict::Warn => Ok(()),
    }
}
