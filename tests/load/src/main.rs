//! What Parley costs on this machine: a start, an idle visitor, a message. Drives the real gateway over real sockets.
//!
//! Usage: `load GATEWAY NAME=DATABASE_URL …`. Prints one Markdown table, a row per database. Latency is open loop: messages
//! leave on their schedule whether or not earlier ones have arrived, so that a slow answer is not hidden by waiting for it.

mod gateway;
mod people;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::Gateway;
use hdrhistogram::Histogram;
use people::{Admin, Visitor};
use tokio::task::JoinSet;

/// What goes wrong in a measurement ends it.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Visitors that only stay connected.
const IDLE: usize = 1_000;
/// Visitors of the steady scenario, the time each waits between two messages, and its length.
const STEADY: usize = 250;
const BETWEEN: Duration = Duration::from_secs(5);
const STEADY_TIME: Duration = Duration::from_secs(20);
/// Visitors of the saturated scenario, each with one message on its way at a time.
const SATURATED: usize = 64;
const SATURATED_TIME: Duration = Duration::from_secs(8);

/// One row of the table.
struct Row {
    name: String,
    start: gateway::Memory,
    idle: gateway::Memory,
    arrival: Histogram<u64>,
    confirmation: Histogram<u64>,
    per_second: f64,
    cpu_per_message: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (program, databases) = arguments.split_first().ok_or("usage: load GATEWAY NAME=DATABASE_URL …")?;
    let mut rows = Vec::new();
    for database in databases {
        let (name, url) = database.split_once('=').ok_or("a database is NAME=DATABASE_URL")?;
        rows.push(measure(program, name, url).await?);
    }
    print(&rows);
    Ok(())
}

async fn measure(program: &str, name: &str, url: &str) -> Result<Row> {
    let gateway = Gateway::start(program, url).await?;
    let start = gateway.memory()?;
    let idle = idle(&gateway).await?;
    let (arrival, confirmation) = steady(&gateway).await?;
    let (per_second, cpu_per_message) = saturated(&gateway).await?;
    gateway.stop().await?;
    Ok(Row { name: name.to_owned(), start, idle, arrival, confirmation, per_second, cpu_per_message })
}

async fn idle(gateway: &Gateway) -> Result<gateway::Memory> {
    let visitors = crowd(gateway, IDLE).await?;
    let memory = gateway.memory()?;
    for visitor in visitors {
        visitor.leave().await;
    }
    Ok(memory)
}

/// Brings visitors in, a few at a time.
async fn crowd(gateway: &Gateway, count: usize) -> Result<Vec<Visitor>> {
    let mut crowd = Vec::with_capacity(count);
    while crowd.len() < count {
        let more = (crowd.len()..count.min(crowd.len() + 32)).map(|number| Visitor::join(gateway, number));
        crowd.extend(futures::future::try_join_all(more).await?);
    }
    Ok(crowd)
}

/// Time from a visitor's send to the admin's socket, and to the visitor's own confirmation; in microseconds.
async fn steady(gateway: &Gateway) -> Result<(Histogram<u64>, Histogram<u64>)> {
    let epoch = Instant::now();
    let admin = Admin::log_in(gateway).await?;
    let visitors = crowd(gateway, STEADY).await?;
    let arrivals = tokio::spawn(admin.arrivals(epoch));
    let mut talks = JoinSet::new();
    let end = tokio::time::Instant::now() + STEADY_TIME;
    for (number, visitor) in visitors.into_iter().enumerate() {
        let first = BETWEEN.mul_f64(as_f64(number) / as_f64(STEADY));
        talks.spawn(visitor.talk(epoch, first, BETWEEN, end));
    }
    let mut confirmation = histogram()?;
    let mut sent = 0;
    while let Some(talk) = talks.join_next().await {
        let times = talk??;
        sent += times.len();
        times.into_iter().try_for_each(|time| confirmation.record(time))?;
    }
    let times = arrivals.await??;
    if times.len() != sent {
        return Err(format!("{sent} messages were confirmed and {} arrived", times.len()).into());
    }
    let mut arrival = histogram()?;
    times.into_iter().try_for_each(|time| arrival.record(time))?;
    Ok((arrival, confirmation))
}

/// Messages per second with one message of each visitor on its way, and the gateway's CPU time for one, in microseconds.
async fn saturated(gateway: &Gateway) -> Result<(f64, f64)> {
    let visitors = crowd(gateway, SATURATED).await?;
    let cpu_before = gateway.cpu()?;
    let begin = Instant::now();
    let mut talks = JoinSet::new();
    let epoch = Arc::new(begin);
    for visitor in visitors {
        talks.spawn(visitor.talk_without_pause(epoch.clone(), SATURATED_TIME));
    }
    let mut count = 0;
    while let Some(talk) = talks.join_next().await {
        count += talk??;
    }
    let (elapsed, cpu) = (begin.elapsed(), gateway.cpu()?.saturating_sub(cpu_before));
    Ok((as_f64(count) / elapsed.as_secs_f64(), cpu.as_secs_f64() * 1e6 / as_f64(count.max(1))))
}

fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a measurement are far below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn print(rows: &[Row]) {
    println!(
        "| store | PSS at start | PSS, {IDLE} idle visitors | per idle visitor | visitor → admin p50 / p99 | confirmed p50 / p99 | messages/s | CPU per message |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for row in rows {
        let per_visitor = row.idle.kib.saturating_sub(row.start.kib) / u64::try_from(IDLE).unwrap_or(1);
        println!(
            "| {} | {:.1} MiB | {:.1} MiB | {per_visitor} KiB | {} | {} | {:.0} | {:.0} µs |",
            row.name,
            row.start.mib(),
            row.idle.mib(),
            quantiles(&row.arrival),
            quantiles(&row.confirmation),
            row.per_second,
            row.cpu_per_message,
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a measurement are far below 2^52")]
fn quantiles(times: &Histogram<u64>) -> String {
    let ms = |quantile| times.value_at_quantile(quantile) as f64 / 1_000.0;
    format!("{:.2} / {:.2} ms", ms(0.5), ms(0.99))
}
