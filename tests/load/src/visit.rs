//! One run: a server is started, visitors come, write in three ways, and the server is stopped.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::desk::Desk;
use crate::people::{Plan, Visitor, crowd};
use crate::server::Server;
use crate::{Result, as_f64, histogram};

/// Each visitor writes so often, where it does not write as fast as it can.
pub const BETWEEN: Duration = Duration::from_secs(5);
/// So many messages are on their way at a time when everybody writes as fast as they can.
pub const SATURATING: usize = 64;
/// What is left to do when the last message has arrived belongs to the messages.
const SETTLE: Duration = Duration::from_secs(1);

/// How long the scenarios take.
#[derive(Clone, Copy)]
pub struct Lengths {
    /// Of the steady and of the mixed one.
    pub steady: Duration,
    /// Of the saturated one.
    pub saturated: Duration,
}

/// What one run has shown.
pub struct Sample {
    /// Memory at the start and with everybody idle, in KiB.
    pub memory: (u64, u64),
    /// CPU per visitor who connects and joins, in microseconds.
    pub join: f64,
    /// CPU per message in microseconds, scenario by scenario.
    pub steady: f64,
    /// Likewise.
    pub mixed: f64,
    /// Likewise.
    pub saturated: f64,
    /// Messages confirmed per second in the saturated scenario.
    pub per_second: f64,
    /// From a visitor's sending to an admin's socket in the steady scenario, in microseconds.
    pub arrival: Histogram<u64>,
    /// From a visitor's sending to its confirmation, likewise.
    pub confirmation: Histogram<u64>,
}

struct Run {
    server: Server,
    desk: Desk,
    epoch: Instant,
}

/// Runs everything on a server, with `count` visitors, and stops it.
pub async fn visit(server: Server, count: usize, lengths: Lengths) -> Result<Sample> {
    let epoch = Instant::now();
    let at_start = server.memory()?;
    let desk = Desk::open(&server, epoch).await?;
    let mut run = Run { server, desk, epoch };
    let before = run.server.cpu()?;
    let visitors = crowd(run.server.address(), count).await?;
    let join = run.cost(before, count).await?;
    let memory = (at_start, run.server.memory()?);
    let (visitors, steady, arrival, confirmation) = run.talk(visitors, lengths.steady, false).await?;
    let (visitors, mixed, ..) = run.talk(visitors, lengths.steady, true).await?;
    let (visitors, saturated, per_second) = run.saturated(visitors, lengths.saturated).await?;
    run.server.stop().await?;
    drop(visitors);
    Ok(Sample { memory, join, steady, mixed, saturated, per_second, arrival, confirmation })
}

impl Run {
    /// Each visitor writes now and then.
    async fn talk(
        &mut self,
        visitors: Vec<Visitor>,
        length: Duration,
        mixed: bool,
    ) -> Result<(Vec<Visitor>, f64, Histogram<u64>, Histogram<u64>)> {
        self.desk.busy(mixed);
        let before = self.server.cpu()?;
        let end = tokio::time::Instant::now() + length;
        let plan = Plan { epoch: self.epoch, between: BETWEEN, end, mixed };
        let mut talks = JoinSet::new();
        let count = visitors.len();
        for (number, visitor) in visitors.into_iter().enumerate() {
            let (address, first) = (self.server.address().to_owned(), BETWEEN.mul_f64(as_f64(number) / as_f64(count)));
            talks.spawn(async move { visitor.talk(&address, first, plan).await });
        }
        let (mut visitors, mut confirmation, mut written) = (Vec::with_capacity(count), histogram()?, 0);
        while let Some(talk) = talks.join_next().await {
            let (visitor, times) = talk??;
            visitors.push(visitor);
            written += times.len();
            times.into_iter().try_for_each(|time| confirmation.record(time))?;
        }
        let (heard, arrival) = self.desk.caught_up(written).await?;
        self.desk.busy(false);
        let cost = self.cost(before, heard).await?;
        Ok((visitors, cost, arrival, confirmation))
    }

    /// Visitors take turns; the next one writes as soon as one of the messages on their way is confirmed.
    async fn saturated(&mut self, visitors: Vec<Visitor>, length: Duration) -> Result<(Vec<Visitor>, f64, f64)> {
        let before = self.server.cpu()?;
        let begin = Instant::now();
        let mut groups: Vec<Vec<Visitor>> = Vec::new();
        groups.resize_with(SATURATING.min(visitors.len()), Vec::new);
        let lanes = groups.len();
        for (number, visitor) in visitors.into_iter().enumerate() {
            groups[number % lanes].push(visitor);
        }
        let mut talks = JoinSet::new();
        for group in groups {
            talks.spawn(take_turns(group, self.epoch, begin + length));
        }
        let (mut visitors, mut written) = (Vec::new(), 0);
        while let Some(talk) = talks.join_next().await {
            let (group, count) = talk??;
            visitors.extend(group);
            written += count;
        }
        let per_second = as_f64(written) / begin.elapsed().as_secs_f64();
        let (heard, _) = self.desk.caught_up(written).await?;
        Ok((visitors, self.cost(before, heard).await?, per_second))
    }

    /// CPU since `before`, shared among `count`, in microseconds.
    async fn cost(&self, before: Duration, count: usize) -> Result<f64> {
        tokio::time::sleep(SETTLE).await;
        let cpu = self.server.cpu()?.saturating_sub(before);
        Ok(cpu.as_secs_f64() * 1e6 / as_f64(count.max(1)))
    }
}

async fn take_turns(mut group: Vec<Visitor>, epoch: Instant, end: Instant) -> Result<(Vec<Visitor>, usize)> {
    let mut count = 0;
    while Instant::now() < end {
        let turn = count % group.len();
        group[turn].write_and_wait(epoch).await?;
        count += 1;
    }
    Ok((group, count))
}
