//! Parley's shared crate: the contract, the rules behind it and the stores that keep it.
//!
//! Reading order: [`model`] (what there is), [`wire`] (how it looks outside), [`chat`] (what may be done with it),
//! [`store`] (what a database must promise), then [`auth`], [`rate_limit`], [`connections`] and [`telegram`].

pub mod app;
pub mod attachments;
pub mod auth;
#[cfg(feature = "dynamodb")]
mod aws;
pub mod canned;
pub mod chat;
pub mod config;
pub mod connections;
pub mod desk;
pub mod error;
pub mod event;
pub mod front;
pub mod http;
pub mod i18n;
pub mod id;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod model;
pub mod outgoing;
pub mod rate_limit;
pub mod search;
pub mod socket;
pub mod store;
pub mod telegram;
pub mod time;
pub mod wire;

pub use app::App;
pub use error::Error;

/// What a rule of this crate answers.
pub type Result<T> = std::result::Result<T, Error>;
