//! The plan: relay, Parley, relay, Parley, on each store and with each crowd.

use std::time::Duration;

use crate::outbox::{self, Outbox};
use crate::server::Server;
use crate::settings::Settings;
use crate::soak::{Soak, soak};
use crate::stores::{Place, Store};
use crate::visit::{Lengths, Sample, visit};
use crate::{Result, paper, report};

/// What is compared.
#[derive(Clone, Copy)]
enum Side {
    Relay,
    Parley,
}

/// The runs of one store with one crowd, both sides in the order in which they ran.
pub struct Pair {
    /// On what.
    pub store: Store,
    /// How many visitors.
    pub visitors: usize,
    /// One side.
    pub relay: Vec<Sample>,
    /// The other.
    pub parley: Vec<Sample>,
}

/// How much is run.
#[derive(Clone, Copy)]
struct Plan {
    crowds: &'static [usize],
    rounds: usize,
    /// Runs of the outbox, which take a minute and a half each.
    outbox: usize,
    lengths: Lengths,
}

const FULL: Plan = Plan {
    crowds: &[50, 250, 1_000, 5_000],
    // A machine that pauses for a moment spoils one round's latency; the middle one of three stands.
    rounds: 3,
    outbox: 2,
    lengths: Lengths { steady: Duration::from_secs(8), saturated: Duration::from_secs(4) },
};
const QUICK: Plan = Plan {
    crowds: &[250, 1_000],
    rounds: 1,
    outbox: 0,
    lengths: Lengths { steady: Duration::from_secs(6), saturated: Duration::from_secs(3) },
};

/// The crowd that the relay without a store is run with, for comparison.
pub const BARE: usize = 1_000;

/// Everything that was measured.
pub struct Findings {
    /// Parley and the relay.
    pub pairs: Vec<Pair>,
    /// The relay that keeps nothing.
    pub bare: Sample,
    /// Telegram, run by run.
    pub outbox: Vec<Outbox>,
    /// Visitors who keep reconnecting.
    pub soak: Option<Soak>,
}

/// Runs everything and writes the report.
pub async fn run(settings: &Settings) -> Result<()> {
    let plan = if settings.quick { QUICK } else { FULL };
    let mut runs = Runs::new(settings, plan);
    let bare = runs.one(Side::Relay, Store::Nothing, BARE).await?;
    let mut pairs = Vec::new();
    for store in [Store::Sqlite, Store::Postgres] {
        for visitors in plan.crowds {
            let mut pair = Pair { store, visitors: *visitors, relay: Vec::new(), parley: Vec::new() };
            for _ in 0..plan.rounds {
                pair.relay.push(runs.one(Side::Relay, store, *visitors).await?);
                pair.parley.push(runs.one(Side::Parley, store, *visitors).await?);
            }
            pairs.push(pair);
        }
    }
    let mut outbox = Vec::new();
    for _ in 0..plan.outbox {
        outbox.push(runs.outbox().await?);
    }
    let soak = if settings.seconds > 0 { Some(runs.soak().await?) } else { None };
    paper::write(settings, &Findings { pairs, bare, outbox, soak })
}

/// Only lets visitors reconnect, and says what became of them.
pub async fn only_soak(settings: &Settings) -> Result<()> {
    let soak = Runs::new(settings, FULL).soak().await?;
    paper::say_soak(&soak)
}

/// Only measures what Telegram costs, and says it.
pub async fn only_outbox(settings: &Settings) -> Result<()> {
    let outbox = Runs::new(settings, FULL).outbox().await?;
    paper::say(&report::outbox(&[outbox]));
    Ok(())
}

struct Runs<'a> {
    settings: &'a Settings,
    lengths: Lengths,
    number: usize,
}

impl<'a> Runs<'a> {
    fn new(settings: &'a Settings, plan: Plan) -> Self {
        Self { settings, lengths: plan.lengths, number: 0 }
    }

    async fn place(&mut self, store: Store) -> Result<Place> {
        self.number += 1;
        self.settings.room.place(store, self.number).await
    }

    async fn one(&mut self, side: Side, store: Store, visitors: usize) -> Result<Sample> {
        let place = self.place(store).await?;
        let (name, server) = match side {
            Side::Relay => ("relay", Server::relay(place).await?),
            Side::Parley => ("Parley", Server::gateway(&self.settings.gateway, place, &[]).await?),
        };
        let sample = visit(server, visitors, self.lengths).await?;
        let (half, most) = (report::quantile(&sample, 0.5), report::quantile(&sample, 0.99));
        let Sample { join, steady, mixed, saturated, per_second, .. } = &sample;
        progress(&format!(
            "{name}, {store}, {visitors} visitors: µs per message steady {steady:.0}, mixed {mixed:.0}, saturated \
             {saturated:.0} at {per_second:.0}/s; join {join:.0} µs; p50 {half:.0}, p99 {most:.0} µs"
        ));
        Ok(sample)
    }

    async fn outbox(&mut self) -> Result<Outbox> {
        let (without, with) = (self.place(Store::Sqlite).await?, self.place(Store::Sqlite).await?);
        let outbox = outbox::measure(&self.settings.gateway, without, with).await?;
        progress(&format!("Telegram: {:.0} µs per message, {:.0} per call", outbox.per_message, outbox.per_call));
        Ok(outbox)
    }

    async fn soak(&mut self) -> Result<Soak> {
        let place = self.place(Store::Sqlite).await?;
        let server = Server::gateway(&self.settings.gateway, place, &[]).await?;
        soak(server, self.settings.visitors, Duration::from_secs(self.settings.seconds)).await
    }
}

#[expect(clippy::print_stderr, reason = "whoever waits for it sees that it goes on")]
fn progress(line: &str) {
    eprintln!("{line}");
}
