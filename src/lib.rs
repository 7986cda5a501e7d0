//! Tallyhouse: web analytics that never loses an accepted hit and never counts one twice.
//! Start reading at ARCHITECTURE.md; the modules stand in reading order.

pub mod limits;

pub mod clock;
pub mod config;
pub mod metrics;

pub mod event;
pub mod hours;
pub mod tenant;

pub mod accounts;
pub mod store;
pub mod wal;

pub mod closer;
pub mod drain;

pub mod dashboard;
pub mod ingest;

pub mod engine;
pub mod server;

pub mod demo;
pub mod doctor;
pub mod import;

pub mod cli;
pub mod command;
pub mod daemon;
