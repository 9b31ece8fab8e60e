//! What Parley costs on this machine, beside the least that could do the same. Drives the real gateway over real sockets.
//!
//! `load bench KEY=VALUE …` runs everything and writes the report, `load telegram …` and `load soak …` run that part of it
//! and print its table, `load relay STORE` is the other side of the comparison, which the first one starts. The settings
//! are those of [`settings`].
//!
//! Latency is open loop: messages leave on their schedule whether or not earlier ones have arrived, so that a slow answer
//! is not hidden by waiting for it.

mod bench;
mod desk;
mod outbox;
mod paper;
mod people;
mod plot;
mod process;
mod relay;
mod report;
mod server;
mod settings;
mod soak;
mod stores;
mod visit;
mod wire;

use std::error::Error;

use hdrhistogram::Histogram;
use settings::Settings;
use tokio::runtime::Builder;

/// What goes wrong in a measurement ends it.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        // One thread for the sockets: handing frames from thread to thread would only cost.
        ["relay", store] => Builder::new_current_thread().enable_all().build()?.block_on(relay::run(store)),
        ["bench", settings @ ..] => on_all_cores(bench::run(&Settings::read(settings)?)),
        ["telegram", settings @ ..] => on_all_cores(bench::only_outbox(&Settings::read(settings)?)),
        ["soak", settings @ ..] => on_all_cores(bench::only_soak(&Settings::read(settings)?)),
        _ => Err("usage: load bench|telegram|soak KEY=VALUE …, or load relay STORE".into()),
    }
}

fn on_all_cores(work: impl Future<Output = Result<()>>) -> Result<()> {
    Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a measurement are far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}
