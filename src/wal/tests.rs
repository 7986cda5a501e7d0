//! The log under faults: real files, real threads, real processes. The cases F1 to F18 that broke
//! okaywal when used bare are kept here as ours.

mod crash;
mod damage;
mod hours;
mod model;
mod refusals;
mod restart;
mod rig;
