//! Operators in Telegram: the mirror, their replies, the webhook's fences, and what happens while Telegram fails.

mod asked;
mod bench;
mod buttons;
mod commands;
mod continued;
mod corpus;
mod failing;
mod files;
mod in_topics;
mod laws;
mod login;
mod migration;
mod mirror;
mod outage;
mod pacing;
mod private;
mod reactions;
mod replies;
mod sandbox;
mod setup;
mod speed;
pub mod stage;
mod thrice;
mod topics;
mod webhook;
