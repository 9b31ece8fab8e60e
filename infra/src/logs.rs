//! Logs on stderr: for people in a terminal, JSON lines elsewhere.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging by `filter`; the error is a sentence for people.
pub(crate) fn init(filter: &str) -> Result<(), String> {
    let filter: Targets = filter.parse().map_err(|error| format!("RUST_LOG is no filter: {error}"))?;
    let (logs, lines) = (tracing_subscriber::registry().with(filter), fmt::layer().with_writer(stderr));
    if stderr().is_terminal() {
        logs.with(lines.compact().with_target(false)).init();
    } else {
        logs.with(lines.json().flatten_event(true).with_span_list(false)).init();
    }
    Ok(())
}
