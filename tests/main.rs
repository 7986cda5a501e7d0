//! All tests that need the program or the engine, in one binary.
#![allow(unreachable_pub, clippy::unwrap_used)] // the rig is shared by several targets

mod cli;
mod closer;
mod drain;
mod engine;
mod import;
mod privacy;
mod reference;
mod rig;
mod schema;
mod serve;
mod stream;
