//! See ARCHITECTURE.md.

mod nearest;
mod secret;

pub use nearest::{hint, nearest};
pub use secret::Secret;
