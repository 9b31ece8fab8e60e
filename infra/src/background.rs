//! Work that nobody waits for: the outbox' lanes and the schedule. All of it goes by the gateway's clock.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use shared::event::Lane;
use shared::time::{HOUR, MINUTE, SECOND, Timestamp};
use shared::{App, Result};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::functions::{Failure, caught};
use crate::mapping;
use crate::platform::{Platform, stopped};
use crate::stream::StreamReader;

/// A lane is looked at this often even when nobody asks for it.
const LANE_INTERVAL: i64 = MINUTE;
/// A lane in which everything waits is not looked at more often than this, whatever comes.
const PAUSE: i64 = SECOND / 2;
/// After a failure.
const RETRY: i64 = 5 * SECOND;
/// How often sessions that ended are looked for; the contract gives their sockets 5 s.
const SESSIONS_INTERVAL: i64 = 2 * SECOND;
/// How often the search index is looked after.
const INDEX_INTERVAL: i64 = 10 * SECOND;
const MAINTENANCE_INTERVAL: i64 = HOUR;
/// How long a process that died keeps others from its lane. Half of it must outlast a step: Telegram's may take 5 s and
/// then wait 25 s for an answer.
const fn lease_time(lane: Lane) -> i64 {
    match lane {
        Lane::Files => 15 * SECOND,
        Lane::Telegram => 70 * SECOND,
    }
}

/// A piece of work that runs when it is due or asked for.
#[derive(Debug, Default)]
pub(crate) struct Job {
    due: AtomicI64,
    wake: Notify,
}

impl Job {
    /// Asks for a run; any number of times before the run counts once.
    fn poke(&self) {
        self.wake.notify_one();
    }

    /// Waits for the next run. From then on it is due again only when [`Job::done`] says so.
    async fn wanted(&self) {
        self.wake.notified().await;
        self.due.store(i64::MAX, Ordering::Relaxed);
    }

    fn done(&self, next: Timestamp) {
        self.due.store(next.0, Ordering::Relaxed);
    }

    fn tick(&self, now: Timestamp) {
        if self.due.load(Ordering::Relaxed) <= now.0 {
            self.poke();
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    files: Job,
    telegram: Job,
    stream: Notify,
    index: Job,
    sessions: Job,
    maintenance: Job,
}

impl Jobs {
    /// A function ran: something may have been written to the outbox, or told by the stream. Files go when a conversation is
    /// deleted.
    pub(crate) fn something_was_done(&self, deletes: bool, mirrored: bool) {
        if deletes {
            self.files.poke();
        }
        if mirrored {
            self.telegram.poke();
        }
        self.stream.notify_one();
    }

    /// Waits until somebody may have written.
    pub(crate) async fn stream_wanted(&self) {
        self.stream.notified().await;
    }

    fn tick(&self, now: Timestamp) {
        for job in [&self.files, &self.telegram, &self.index, &self.sessions, &self.maintenance] {
            job.tick(now);
        }
    }
}

/// Starts everything; it ends by itself once the gateway stops. Events come from the outbox of the gateway's own store, or
/// by a table's stream.
pub(crate) fn start(platform: &Arc<Platform>, tick: Duration, stream: Option<StreamReader>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(heartbeat(platform.clone(), tick));
    let p = platform.clone();
    tasks.spawn(repeat(platform.clone(), |p| &p.jobs.maintenance, MAINTENANCE_INTERVAL, move || maintain(p.clone())));
    let polls = stream.is_none();
    if let Some(reader) = stream {
        tasks.spawn(mapping::run(platform.clone(), reader));
    }
    let Some(app) = &platform.app else { return tasks };
    if polls {
        for lane in [Lane::Files, Lane::Telegram] {
            tasks.spawn(run_lane(platform.clone(), app.clone(), lane));
        }
    }
    let (one, two) = (app.clone(), app.clone());
    let sessions = move || close_ended_sessions(one.clone());
    tasks.spawn(repeat(platform.clone(), |p| &p.jobs.sessions, SESSIONS_INTERVAL, sessions));
    tasks.spawn(repeat(platform.clone(), |p| &p.jobs.index, INDEX_INTERVAL, move || index(two.clone())));
    tasks
}

async fn heartbeat(platform: Arc<Platform>, tick: Duration) {
    let mut interval = tokio::time::interval(tick);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut stopping = platform.stopping.clone();
    loop {
        tokio::select! {
            _ = interval.tick() => {
                let now = platform.now();
                platform.registry.sweep(now);
                platform.jobs.tick(now);
            }
            () = stopped(&mut stopping) => return,
        }
    }
}

async fn repeat<F, R>(platform: Arc<Platform>, job: fn(&Platform) -> &Job, interval: i64, run: F)
where
    F: Fn() -> R,
    R: Future<Output = Result<()>>,
{
    let mut stopping = platform.stopping.clone();
    loop {
        tokio::select! {
            () = job(&platform).wanted() => {}
            () = stopped(&mut stopping) => return,
        }
        // The contract counts from the moment that was looked at, not from the end of the look.
        let began = platform.now();
        let wait = match caught(run()).await.unwrap_or_else(|failure| Err(failure.error())) {
            Ok(()) => interval,
            Err(error) => {
                error.log("schedule");
                RETRY.max(interval.min(MINUTE))
            }
        };
        job(&platform).done(began.plus(wait));
    }
}

async fn close_ended_sessions(app: Arc<App>) -> Result<()> {
    let closed = maintenance::close_ended_sessions(&app).await?;
    if closed > 0 {
        tracing::info!(closed, "closed the sockets of ended sessions");
    }
    Ok(())
}

async fn index(app: Arc<App>) -> Result<()> {
    maintenance::index(&app).await.map(|_| ())
}

async fn maintain(platform: Arc<Platform>) -> Result<()> {
    platform.functions.schedule("maintenance").await.map_err(Failure::error)
}

/// A lane's lease: of all processes on one store only one drains.
struct Lease {
    name: String,
    owner: String,
    length: i64,
    until: Timestamp,
}

impl Lease {
    /// Whether the lane is ours; renewed at half time, so that a busy lane does not write for it each time.
    async fn hold(&mut self, app: &App) -> Result<bool> {
        let now = app.now();
        let left = self.until.since(now);
        if (self.length / 2..=self.length).contains(&left) {
            return Ok(true);
        }
        let until = now.plus(self.length);
        let ours = app.store.lease(&self.name, &self.owner, now, until).await?;
        self.until = if ours { until } else { Timestamp::default() };
        Ok(ours)
    }

    async fn give_back(&self, app: &App) -> Result<()> {
        let now = app.now();
        if self.until > now {
            app.store.lease(&self.name, &self.owner, now, now).await?;
        }
        Ok(())
    }
}

async fn run_lane(platform: Arc<Platform>, app: Arc<App>, lane: Lane) {
    let job = match lane {
        Lane::Files => &platform.jobs.files,
        Lane::Telegram => &platform.jobs.telegram,
    };
    let mut lease = Lease {
        name: format!("outbox:{}", lane.as_str()),
        owner: crate::event::request_id(),
        length: lease_time(lane),
        until: Timestamp::default(),
    };
    let mut stopping = platform.stopping.clone();
    let mut not_before = Timestamp::default();
    loop {
        tokio::select! {
            () = job.wanted() => {}
            () = stopped(&mut stopping) => break,
        }
        if platform.now() < not_before {
            job.done(not_before);
            continue;
        }
        let drained = caught(drain(&platform, &app, lane, &mut lease)).await;
        let next = match drained.unwrap_or_else(|failure| Err(failure.error())) {
            Ok(next) => next,
            Err(error) => {
                error.log("outbox");
                Some(platform.now().plus(RETRY))
            }
        };
        let latest = platform.now().plus(LANE_INTERVAL);
        // What comes meanwhile most likely waits for the same as what waits already.
        not_before = next.map_or(Timestamp::default(), |next| next.min(platform.now().plus(PAUSE)));
        job.done(next.unwrap_or(latest).min(latest));
    }
    if let Err(error) = lease.give_back(&app).await {
        error.log("outbox");
    }
}

/// Delivers what is due, step by step, and answers until when the rest waits, if there is any.
async fn drain(platform: &Platform, app: &App, lane: Lane, lease: &mut Lease) -> Result<Option<Timestamp>> {
    loop {
        if !lease.hold(app).await? {
            return Ok(Some(platform.now().plus(lease.length)));
        }
        let drained = notifier::drain(app, lane).await?;
        if drained.delivered == 0 || platform.is_stopping() {
            return Ok(drained.next);
        }
    }
}
