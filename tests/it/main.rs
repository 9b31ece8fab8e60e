//! Parley's stories, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect may end there")]

mod conformance;
mod deployed;
mod events;
mod figures;
mod gateway;
mod people;
mod stores;
mod stories;
mod telegram;
