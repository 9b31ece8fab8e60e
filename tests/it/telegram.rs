//! Operators in Telegram: the mirror, their replies, the webhook's fences, and what happens while Telegram fails.

mod bench;
mod failing;
mod laws;
mod login;
mod migration;
mod mirror;
mod outage;
mod pacing;
mod private;
mod replies;
mod sandbox;
mod setup;
pub mod stage;
mod topics;
mod webhook;
