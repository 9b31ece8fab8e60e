//! Parley's stories, in one binary.

mod conformance;
mod stores;
