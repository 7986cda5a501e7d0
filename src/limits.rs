//! Every bound in the program, with its unit and its reason. A limit that is a setting stands here as
//! its default.

use std::time::Duration;

/// Largest request body of the event API. Design section 3.
pub const BODY_BYTES_MAX: usize = 8 * 1024;
/// Most events in one post.
pub const EVENTS_PER_POST_MAX: usize = 10;
/// Longest page address kept, as in the Plausible event API.
pub const URL_BYTES_MAX: usize = 2_000;
/// Longest event name, property key, host name.
pub const NAME_BYTES_MAX: usize = 120;
/// Longest property value.
pub const PROP_VALUE_BYTES_MAX: usize = 2_000;
/// Most properties of one event.
pub const PROPS_MAX: usize = 30;
/// User agents shorter or longer than this are junk.
pub const USER_AGENT_BYTES_MIN: usize = 16;
/// See [`USER_AGENT_BYTES_MIN`].
pub const USER_AGENT_BYTES_MAX: usize = 500;

/// Requests per second of one address (IPv6: of one /64).
pub const ADDRESS_RATE: u32 = 100;
/// Events per second of one (carrier address, site): one gateway is thousands of visitors.
pub const CARRIER_RATE: u32 = 1_000;
/// Burst of [`CARRIER_RATE`].
pub const CARRIER_BURST: u32 = 2_000;
/// Events per second of one site.
pub const SITE_RATE: u32 = 25_000;
/// Slots of a limiter of addresses, 8 bytes each: its keys are hashed into these, so it never grows.
pub const LIMIT_SLOTS: usize = 1 << 18;
/// Slots of the limiter of sites.
pub const SITE_LIMIT_SLOTS: usize = 1 << 14;
/// How long an event id is remembered, so that a retry is not counted twice.
pub const EVENT_ID_MEMORY: Duration = Duration::from_secs(600);
/// Most event ids remembered, about 40 bytes each; beyond it the oldest is forgotten early.
pub const EVENT_IDS_MAX: usize = 2_000_000;
/// User agents whose parse is remembered.
pub const AGENTS_MAX: usize = 16_384;

/// Bytes of rows that may wait for their commit; beyond it 503.
pub const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Default group commit interval.
pub const WAL_SYNC_INTERVAL: Duration = Duration::from_millis(100);
/// Below this, disks only get slower.
pub const WAL_SYNC_INTERVAL_MIN: Duration = Duration::from_millis(1);
/// Above this, browsers give up on the answer.
pub const WAL_SYNC_INTERVAL_MAX: Duration = Duration::from_secs(1);
/// A segment is sealed at this size: larger ones stall commits while their file is zero-filled
/// (measured on okaywal 0.3.1: p99 388 ms at 64 MiB, 116 ms at 16 MiB).
pub const SEGMENT_BYTES: usize = 15 * 1024 * 1024;
/// A non-empty segment is sealed at this age, so that a quiet site is drained too.
pub const SEGMENT_AGE: Duration = Duration::from_secs(2);
/// Default budget of undrained log.
pub const WAL_BYTES_MAX: u64 = 20 * 1024 * 1024 * 1024;
/// Least budget of undrained log: a few segments.
pub const WAL_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// Free disk space below which nothing is admitted.
pub const DISK_FREE_BYTES_MIN: u64 = 1024 * 1024 * 1024;
/// A commit or seal that takes longer than this ends the process: the disk is gone.
pub const COMMIT_STALL: Duration = Duration::from_secs(30);

/// Most bytes of one block of rows for ClickHouse: a segment, and what follows its size limit.
pub const BLOCK_BYTES_MAX: usize = 4 * SEGMENT_BYTES;
/// Most rows of one block: more than a segment of the shortest rows holds.
pub const BLOCK_ROWS_MAX: usize = 4_000_000;
/// Longest pause between two tries of the drain.
pub const DRAIN_BACKOFF_MAX: Duration = Duration::from_secs(30);

/// How long after its end an hour is left open, in milliseconds.
pub const CLOSE_GRACE_MS: i64 = 5_000;
/// A visitor silent for longer than this starts a new visit. The field's common rule (GA, Plausible).
pub const VISIT_GAP_MS: i64 = 30 * 60 * 1000;

/// A close or seal works on this many raw rows at a time, by ranges of visitors; 660,000 rows with hardly
/// two of one visitor took 0.55 GB of ClickHouse's memory in a close, 0.9 GB in a seal (measured, 26.7).
pub const CLOSE_PASS_ROWS: u64 = 300_000;
/// A statement of the closer may use this much memory in ClickHouse.
pub const CLOSE_BYTES_MAX: u64 = 1_000_000_000;

/// Connections at once.
pub const CONNECTIONS_MAX: usize = 16_384;
/// A client must send its request head within this.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// A client must send its request body within this.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests under way may finish within this at a stop.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of answers the dashboard cache may hold.
pub const CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A dashboard query may run this long.
pub const QUERY_SECONDS_MAX: u64 = 30;
/// A dashboard query may use this much memory in ClickHouse.
pub const QUERY_BYTES_MAX: u64 = 1_000_000_000;
/// Rows of one report page.
pub const REPORT_ROWS_MAX: u32 = 1_000;

/// ClickHouse does not start with less memory.
pub const ENGINE_BYTES_MIN: u64 = 512 * 1024 * 1024;
/// A shorter secret could be guessed.
pub const SECRET_BYTES_MIN: usize = 32;

/// Raw events are kept this many days unless the site says otherwise.
pub const RETENTION_DAYS: u16 = 180;

/// Lines of an access log that are imported at once; bounds memory and what a crash repeats.
pub const IMPORT_LINES: u64 = 100_000;

/// Longest encoded row: every field at its limit. Properties dominate.
pub const ROW_BYTES_MAX: usize = 128 * 1024;

const _: () = assert!(BODY_BYTES_MAX < ROW_BYTES_MAX);
const _: () = assert!(ROW_BYTES_MAX * EVENTS_PER_POST_MAX < QUEUE_BYTES_MAX);
const _: () = assert!(SEGMENT_BYTES < u32::MAX as usize);
const _: () = assert!(WAL_BYTES_MAX > 4 * SEGMENT_BYTES as u64);
