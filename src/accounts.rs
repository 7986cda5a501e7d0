//! See ARCHITECTURE.md.

pub mod directory;
