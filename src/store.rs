//! The one ClickHouse client: embedded engine, single server and cluster are the same code path. It
//! knows a URL, not an engine. Dashboards read through [`Store::fetch`] alone, which demands a tenant
//! (I9); the drain, the closer and the commands use the rest.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clickhouse::{Client, RowOwned, RowRead};
use tokio::sync::watch;

pub mod block;
pub mod error;
pub mod migrate;
pub mod param;
pub mod query;
mod tenant;

pub use block::Block;
pub use error::{Class, StoreError};
pub use param::Param;
pub use query::{TenantQuery, Window};

/// The database of the embedded engine, and the default elsewhere.
pub const DATABASE: &str = "tallyhouse";

/// A statement that has no answer after this long counts as lost.
const STATEMENT_LIMIT: Duration = Duration::from_secs(3600);
const PING_LIMIT: Duration = Duration::from_secs(5);

/// Where a ClickHouse answers, and as whom.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `http://host:port`.
    pub url: String,
    pub user: String,
    pub password: String,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint({} as {})", self.url, self.user)
    }
}

/// How to find ClickHouse.
#[derive(Clone, Debug)]
pub enum Server {
    /// A server of the operator's own.
    At(Endpoint),
    /// The embedded engine, whose port changes when it restarts.
    Engine(watch::Receiver<Option<Endpoint>>),
}

/// One server, or a cluster with replicated tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    Single,
    Cluster {
        /// As in `remote_servers`.
        name: String,
    },
}

/// What a store needs.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    pub server: Server,
    /// See [`DATABASE`].
    pub database: String,
    /// A directory on the embedded engine's file system, for [`Store::sync`]; none for other servers,
    /// whose tables sync each insert themselves.
    pub data_dir: Option<PathBuf>,
    pub topology: Topology,
}

/// The ClickHouse client. Clones share connections.
#[derive(Clone)]
pub struct Store {
    config: Arc<StoreConfig>,
    client: Client,
}

impl Store {
    /// Connects nothing yet.
    pub fn new(config: StoreConfig) -> Store {
        let client = Client::default()
            // On by default since 26.x; it would answer before the rows are in a part.
            .with_setting("async_insert", "0")
            // A delete has happened when it returns.
            .with_setting("mutations_sync", "1")
            .with_setting("lightweight_deletes_sync", "1")
            // An error in the middle of an answer is an error, not a cut answer.
            .with_setting("wait_end_of_query", "1");
        Store { config: Arc::new(config), client }
    }

    /// The database everything lives in.
    pub fn database(&self) -> &str {
        &self.config.database
    }

    /// Whether ClickHouse answers and lets us in.
    ///
    /// # Errors
    /// It does not; usually [`Class::Retry`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        let query = self.server()?.query_raw("SELECT 1");
        limited(PING_LIMIT, query.execute()).await
    }

    /// Runs one statement. Parameters stand in it as `{name:Type}`.
    ///
    /// # Errors
    /// See [`StoreError`]; after anything but a refusal the statement may have run, or still run.
    pub async fn run(&self, sql: &str, params: &[(&str, Param)]) -> Result<(), StoreError> {
        limited(STATEMENT_LIMIT, self.query(sql, params)?.execute()).await
    }

    /// Reads all rows of one query.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn rows<R>(&self, sql: &str, params: &[(&str, Param)]) -> Result<Vec<R>, StoreError>
    where
        R: RowOwned + RowRead,
    {
        limited(STATEMENT_LIMIT, self.query(sql, params)?.fetch_all::<R>()).await
    }

    /// The answer to a read-only query as text in a ClickHouse format, for people.
    ///
    /// # Errors
    /// See [`StoreError`]; anything that writes is refused.
    pub async fn text(&self, sql: &str, format: &str) -> Result<String, StoreError> {
        let query = self.query(sql, &[])?.with_setting("readonly", "1");
        let bytes =
            limited(STATEMENT_LIMIT, async { query.fetch_bytes(format)?.collect().await }).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Waits until there is a server to ask; with a server of the operator's own, at once.
    pub async fn wait_for_server(&self) {
        if let Server::Engine(receiver) = &self.config.server {
            let _ = receiver.clone().wait_for(Option::is_some).await;
        }
    }

    fn query(
        &self,
        sql: &str,
        params: &[(&str, Param)],
    ) -> Result<clickhouse::query::Query, StoreError> {
        let query = self.client()?.query_raw(sql);
        Ok(params.iter().fold(query, |query, (name, value)| value.bind(query, name)))
    }

    /// A client of our database.
    fn client(&self) -> Result<Client, StoreError> {
        Ok(self.server()?.with_database(&self.config.database))
    }

    /// A client of no database in particular.
    fn server(&self) -> Result<Client, StoreError> {
        let endpoint = match &self.config.server {
            Server::At(endpoint) => endpoint.clone(),
            Server::Engine(receiver) => receiver.borrow().clone().ok_or_else(StoreError::away)?,
        };
        let client = self.client.clone().with_url(endpoint.url).with_user(endpoint.user);
        Ok(client.with_password(endpoint.password))
    }
}

async fn limited<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, clickhouse::error::Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done.map_err(StoreError::from),
        Err(_) => Err(StoreError::late(limit)),
    }
}
