//! Operators in Telegram: the mirror, their replies, the webhook's fences, and what happens while Telegram fails.

mod bench;
mod failing;
mod laws;
mod login;
mod mirror;
mod outage;
mod replies;
mod sandbox;
mod setup;
pub mod stage;
mod webhook;
