//! What went wrong, and whether to try again: decided here, once.

use std::time::Duration;

use clickhouse::error::Error;

/// What a caller should do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The network, a timeout, overload, a full disk: try again later.
    Retry,
    /// ClickHouse understood and said no: our SQL or our data is wrong.
    Refused,
    /// This build must not work with this database.
    Fatal,
}

/// An error of ClickHouse or of the way to it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("ClickHouse: {message}")]
pub struct StoreError {
    pub class: Class,
    /// ClickHouse's error code; 0 when the answer is not ClickHouse's.
    pub code: u32,
    pub message: String,
}

/// Codes that say "not now" (names as in ClickHouse's `system.errors`).
const RETRY_CODES: &[u32] = &[
    // files: CANNOT_READ_FROM, CANNOT_WRITE_TO, CANNOT_OPEN, CANNOT_CLOSE, CANNOT_FSYNC, NOT_ENOUGH_SPACE
    74, 75, 76, 77, 204, 243,
    // load: TIMEOUT_EXCEEDED, TOO_SLOW, CANNOT_ALLOCATE_MEMORY, QUOTA_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES,
    // QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING, MEMORY_LIMIT_EXCEEDED, TOO_MANY_PARTS, QUERY_WAS_CANCELLED,
    // SYSTEM_ERROR, CANNOT_SCHEDULE_TASK, DEADLOCK_AVOIDED, SERVER_OVERLOADED
    159, 160, 173, 201, 202, 216, 241, 252, 394, 425, 439, 473, 745,
    // network and replicas: SOCKET_TIMEOUT, NETWORK_ERROR, NO_ZOOKEEPER, ABORTED, TABLE_IS_READ_ONLY,
    // ALL_CONNECTION_TRIES_FAILED, TOO_FEW_LIVE_REPLICAS, UNSATISFIED_QUORUM, UNKNOWN_STATUS_OF_INSERT, KEEPER
    209, 210, 225, 236, 242, 279, 285, 286, 319, 999,
    // who we are, which the operator can put right: UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, AUTHENTICATION_FAILED
    192, 193, 194, 516,
    // POCO_EXCEPTION, STD_EXCEPTION, UNKNOWN_EXCEPTION: mostly the system's
    1000, 1001, 1002,
];

impl StoreError {
    /// The embedded engine is not up.
    pub(super) fn away() -> StoreError {
        StoreError::new(Class::Retry, "the embedded engine is starting or was stopped; see its log")
    }

    /// No answer in time.
    pub(super) fn late(limit: Duration) -> StoreError {
        StoreError::new(Class::Retry, format!("no answer within {} s", limit.as_secs()))
    }

    /// This build must not go on.
    pub(super) fn fatal(message: impl Into<String>) -> StoreError {
        StoreError::new(Class::Fatal, message)
    }

    pub(super) fn new(class: Class, message: impl Into<String>) -> StoreError {
        StoreError { class, code: 0, message: message.into() }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> StoreError {
        match error {
            Error::BadResponse(text) => from_answer(&text),
            Error::Network(source) => {
                StoreError::new(Class::Retry, format!("cannot be reached: {}", chain(&*source)))
            }
            Error::TimedOut => StoreError::new(Class::Retry, "no answer in time"),
            Error::Decompression(_) | Error::NotEnoughData => {
                StoreError::new(Class::Retry, format!("a cut answer: {error}"))
            }
            other => StoreError::new(Class::Refused, other.to_string()),
        }
    }
}

fn from_answer(text: &str) -> StoreError {
    let number = text.split("Code: ").nth(1).and_then(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    });
    // No code: a proxy, or a server that went away while it answered.
    let class = match number {
        Some(code) if !RETRY_CODES.contains(&code) => Class::Refused,
        _ => Class::Retry,
    };
    StoreError { class, code: number.unwrap_or(0), message: shorten(text) }
}

/// The message without ClickHouse's version and stack, cut to a readable length.
fn shorten(text: &str) -> String {
    let text = text.trim().split(" (version ").next().unwrap_or_default();
    let mut end = text.len().min(600);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end < text.len() { format!("{} …", &text[..end]) } else { text.to_owned() }
}

fn chain(mut error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    while let Some(source) = error.source() {
        text = format!("{text}: {source}");
        error = source;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Class, StoreError};
    use clickhouse::error::Error;

    fn check(text: &str, code: u32, class: Class) {
        let error = StoreError::from(Error::BadResponse(text.to_owned()));
        assert_eq!((error.code, error.class), (code, class), "{text}");
        assert!(!error.message.contains("(version"), "{}", error.message);
    }

    #[test]
    fn codes_have_classes() {
        let tail = "(version 26.7.2.1)";
        check(&format!("Code: 62. DB::Exception: Syntax error {tail}"), 62, Class::Refused);
        check(&format!("Code: 241. DB::Exception: Memory limit {tail}"), 241, Class::Retry);
        check(&format!("Code: 252. DB::Exception: Too many parts {tail}"), 252, Class::Retry);
        check("502 Bad Gateway", 0, Class::Retry);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let error = StoreError::from(Error::BadResponse("ä".repeat(1_000)));
        assert!(error.message.len() < 650);
    }
}
