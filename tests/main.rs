//! All tests that need the program or the engine, in one binary.
#![allow(unreachable_pub)] // the rig is shared by several targets

mod drain;
mod engine;
mod import;
mod rig;
mod schema;
