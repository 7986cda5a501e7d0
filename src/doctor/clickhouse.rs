//! ClickHouse: is it there, does it start, is it new enough, and which sites never got a hit.

use std::time::Duration;

use super::{Finding, Setup, Verdict};
use crate::accounts::Site;
use crate::engine::{self, Engine, EngineConfig};
use crate::store::{Endpoint, Param, Server, Store, StoreConfig, Topology};

const CHECK: &str = "ClickHouse";
/// The oldest release the schema and its queries are written for.
const VERSION_MIN: (u32, u32) = (24, 8);
const START_LIMIT: Duration = Duration::from_secs(60);
/// Each costs a query.
const SITES_MAX: usize = 200;

pub(super) async fn examine(setup: &Setup, sites: &[Site]) -> Vec<Finding> {
    if let Some(endpoint) = &setup.external {
        return examine_server(setup, endpoint.clone(), "external", sites).await;
    }
    if let Some(endpoint) = engine::attach(&setup.data_dir).await {
        return examine_server(setup, endpoint, "embedded, running", sites).await;
    }
    let engine = match start(setup).await {
        Ok(engine) => engine,
        Err(finding) => return vec![finding],
    };
    let endpoint = wait(&engine).await;
    let findings = match endpoint {
        Some(endpoint) => {
            examine_server(setup, endpoint, "embedded, started for this check", sites).await
        }
        None => {
            let found = format!("the embedded engine did not start in {} s", START_LIMIT.as_secs());
            let advice = format!("see its log below {}", setup.data_dir.join("engine").display());
            vec![Finding::fail(CHECK, found, &advice)]
        }
    };
    engine.stop().await;
    findings
}

async fn start(setup: &Setup) -> Result<Engine, Finding> {
    let fail = |e: engine::EngineError| Finding::fail(CHECK, e.to_string(), "");
    let library = engine::find_library(setup.engine_library.as_deref(), &setup.data_dir);
    let config = EngineConfig {
        data_dir: setup.data_dir.clone(),
        library: library.map_err(fail)?,
        memory_bytes: engine::default_memory_bytes(),
        program: setup.program.clone(),
        http_port: 0,
    };
    Engine::start(config).map_err(fail)
}

async fn wait(engine: &Engine) -> Option<Endpoint> {
    let mut receiver = engine.endpoint();
    let up = tokio::time::timeout(START_LIMIT, receiver.wait_for(Option::is_some)).await;
    up.ok()?.ok()?.clone()
}

async fn examine_server(
    setup: &Setup,
    endpoint: Endpoint,
    kind: &str,
    sites: &[Site],
) -> Vec<Finding> {
    let store = Store::new(StoreConfig {
        server: Server::At(endpoint),
        // before the first start our own database may not be there
        database: "default".to_owned(),
        data_dir: None,
        topology: Topology::Single,
    });
    let version = match store.rows::<String>("SELECT version()", &[]).await {
        Ok(rows) => rows.into_iter().next().unwrap_or_default(),
        Err(e) => {
            let advice = "check --clickhouse-url, user and password, and that the server runs; \
                          meanwhile events are kept in the log";
            return vec![Finding::fail(CHECK, e.to_string(), advice)];
        }
    };
    let found = format!("{version} ({kind})");
    let finding = if is_new_enough(&version) {
        Finding::ok(CHECK, found)
    } else {
        Finding::fail(CHECK, found, "use 24.8 or newer")
    };
    let go_on = finding.verdict == Verdict::Ok;
    let mut findings = vec![finding];
    if go_on {
        findings.push(silent_sites(&store, &setup.database, sites).await);
    }
    findings
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map(|n| n.parse::<u32>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (major, minor) >= VERSION_MIN
}

async fn silent_sites(store: &Store, database: &str, sites: &[Site]) -> Finding {
    const CHECK: &str = "sites";
    let tables = "SELECT count() FROM system.tables WHERE database = {database:String} \
                  AND name IN ('events', 'daily_totals')";
    let database_param = [("database", Param::from(database))];
    match store.rows::<u64>(tables, &database_param).await {
        Ok(rows) if rows == [2] => {}
        Ok(_) => return Finding::ok(CHECK, "the tables are made at the first start"),
        Err(e) => return Finding::warn(CHECK, e.to_string(), "ask again"),
    }
    // the name went through the configuration's check for identifiers
    let any = format!(
        "SELECT (SELECT count() FROM (SELECT 1 FROM {database}.events WHERE site_id = {{site:UInt32}} LIMIT 1)) \
         + (SELECT count() FROM (SELECT 1 FROM {database}.daily_totals WHERE site_id = {{site:UInt32}} LIMIT 1))"
    );
    let mut silent = Vec::new();
    for site in sites.iter().filter(|s| !s.demo).take(SITES_MAX) {
        match store.rows::<u64>(&any, &[("site", Param::from(site.id.0))]).await {
            Ok(rows) if rows == [0] => silent.push(site.domain.as_str()),
            Ok(_) => {}
            Err(e) => return Finding::warn(CHECK, e.to_string(), "ask again"),
        }
    }
    if silent.is_empty() {
        return Finding::ok(CHECK, "all have hits");
    }
    Finding::warn(
        CHECK,
        format!("no hit ever: {}", silent.join(", ")),
        "put the snippet on their pages (`tallyhouse site snippet`), or import an access log",
    )
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn versions() {
        for new in ["24.8.1.2684", "26.7.3.1", "25.1"] {
            assert!(is_new_enough(new), "{new}");
        }
        for old in ["24.7.9.1", "23.12.1", "junk", ""] {
            assert!(!is_new_enough(old), "{old}");
        }
    }
}
