//! What Telegram costs: the same visitors write to a gateway with Telegram and to one without.
//!
//! The Bot API is the tests' server, without limits of its own; the gateway keeps Telegram's pace as it always does, so
//! that what one visitor writes while waiting goes in one message.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::time::SystemClock;
use telegram_server::{BOT_TOKEN, TelegramServer};

use crate::people::{Visitor, crowd};
use crate::server::Server;
use crate::stores::Place;
use crate::wire::PADDING;
use crate::{Result, as_f64};

const GROUP: i64 = -1_001_234_567_890;
const VISITORS: usize = 4;
/// Of each visitor, at this pace.
const MESSAGES: usize = 250;
const BETWEEN: Duration = Duration::from_millis(80);
/// At 20 posts a minute, everything is there by then.
const PATIENCE: Duration = Duration::from_mins(3);
const LOOK: Duration = Duration::from_millis(250);

/// What Telegram cost in one run.
pub struct Outbox {
    /// CPU per message that a visitor wrote, in microseconds.
    pub per_message: f64,
    /// CPU per call of the Bot API, in microseconds.
    pub per_call: f64,
    /// Calls of the Bot API per 1,000 messages.
    pub calls: f64,
    /// Connections to the Bot API per 1,000 messages.
    pub connections: f64,
}

/// Measures with and without; takes about a minute and a half.
pub async fn measure(gateway: &str, without: Place, with: Place) -> Result<Outbox> {
    let off = Server::gateway(gateway, without, &[]).await?;
    let before = off.cpu()?;
    write(&off).await?;
    let base = off.cpu()?.saturating_sub(before);
    off.stop().await?;

    let telegram = TelegramServer::start(Arc::new(SystemClock), &[GROUP]).await;
    let settings = [
        ("TELEGRAM_BOT_TOKEN", BOT_TOKEN.to_owned()),
        ("TELEGRAM_DEFAULT_CHAT_ID", GROUP.to_string()),
        ("TELEGRAM_WEBHOOK_SECRET", "nobody-calls-it".to_owned()),
        ("TELEGRAM_API_URL", telegram.url()),
    ];
    let on = Server::gateway(gateway, with, &settings).await?;
    let before = on.cpu()?;
    write(&on).await?;
    all_arrived(&telegram).await?;
    let cpu = on.cpu()?.saturating_sub(before).saturating_sub(base);
    on.stop().await?;

    let (messages, calls) = (as_f64(VISITORS * MESSAGES), as_f64(telegram.calls()));
    let per = |count: f64| cpu.as_secs_f64() * 1e6 / count;
    Ok(Outbox {
        per_message: per(messages),
        per_call: per(calls),
        calls: calls * 1e3 / messages,
        connections: as_f64(telegram.connections()) * 1e3 / messages,
    })
}

async fn write(server: &Server) -> Result<()> {
    let epoch = Instant::now();
    let visitors = crowd(server.address(), VISITORS).await?;
    let writing = visitors.into_iter().map(|visitor| write_slowly(visitor, epoch));
    futures::future::try_join_all(writing).await.map(drop)
}

async fn write_slowly(mut visitor: Visitor, epoch: Instant) -> Result<()> {
    let mut clock = tokio::time::interval(BETWEEN);
    for _ in 0..MESSAGES {
        clock.tick().await;
        visitor.write_and_wait(epoch).await?;
    }
    visitor.leave().await;
    Ok(())
}

async fn all_arrived(telegram: &TelegramServer) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let arrived: usize = telegram.sent().iter().map(|sent| sent.text.matches(PADDING).count()).sum();
        if arrived >= VISITORS * MESSAGES {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("{arrived} messages reached Telegram").into());
        }
        tokio::time::sleep(LOOK).await;
    }
}
