//! See ARCHITECTURE.md.
pub mod connect;
