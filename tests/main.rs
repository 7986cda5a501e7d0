//! All tests that need the program or the engine, in one binary.
#![allow(unreachable_pub)] // the rig is shared by several targets

mod cli;
mod engine;
mod rig;
