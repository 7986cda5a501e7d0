//! Random tokens: made here, shown once, kept as hashes. 256 random bits need no slow hash.

use std::fmt::Write as _;

use subtle::ConstantTimeEq;

use crate::config::Secret;

/// A new token of 32 random bytes in hexadecimal, after a prefix that tells what it is.
pub(super) fn random(prefix: &str) -> Secret {
    let mut bytes = [0u8; 32];
    rand::fill(&mut bytes);
    let mut text = String::with_capacity(prefix.len() + 64);
    text.push_str(prefix);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
    }
    Secret::new(text)
}

/// What is kept of a token.
pub(super) fn hash(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

/// The CSRF token of a session: bound to it, so that nothing more must be kept.
pub(super) fn csrf(session: &str) -> Secret {
    let key = blake3::derive_key("tallyhouse 2026 csrf token of a session", session.as_bytes());
    Secret::new(blake3::Hash::from_bytes(key).to_hex().as_str())
}

/// Compares without telling by its time how much is right.
pub(super) fn same(a: &str, b: &str) -> bool {
    bool::from(a.as_bytes().ct_eq(b.as_bytes()))
}
