//! What one more message of a visitor costs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::Result;
use crate::gateway::Gateway;
use crate::house::House;
use crate::people::{Admin, Visitor};
use crate::report::{Report, slope};
use crate::{callgrind, strace};

/// Messages of the two runs of a handler, and of the gateway. Its database tidies its log up about every 700 messages, and so in
/// neither of them; that is a quarter of a system call a message.
const HANDLER: (u32, u32) = (100, 300);
const GATEWAY: (u32, u32) = (100, 400);
/// How often system calls are counted: on a machine with other work threads wake each other once more or less, and the fewest calls
/// are what a message needs.
const ATTEMPTS: u32 = 3;
/// A message has 100 bytes of text.
const TEXT: &str = "Where is my parcel? The number on the slip is 4711, and the page says that it left you last Friday";

/// The frame of the `number`th message.
pub fn frame(number: u32) -> Value {
    json!({"type": "message", "client_id": format!("{number:032}"), "content": format!("{TEXT}{}", number % 10)})
}

/// The same as its sender writes it; to put it together costs next to nothing beside what is counted.
fn text(number: u32) -> String {
    format!(r#"{{"type":"message","client_id":"{number:032}","content":"{TEXT}{}"}}"#, number % 10)
}

/// Figures of the handler and of the gateway.
pub async fn measure(report: &mut Report, gateway: &str, folder: &Path) -> Result<()> {
    let handler = callgrind::of_one_more(&["handler"], folder, HANDLER)?;
    report.add("message: instructions of the handler", handler, 120_000.0, 60_000.0)?;
    let database = |name: &str| format!("sqlite://{}", folder.join(name).display());
    let program = Path::new(gateway);

    let mut runs = Vec::new();
    for times in [GATEWAY.0, GATEWAY.1] {
        let (command, out) = callgrind::wrapped(program, folder);
        talk(command, &database(&format!("instructions-{times}.db")), times, Duration::ZERO).await?;
        runs.push((times, callgrind::total(&out)?));
    }
    report.add("message: instructions of the gateway", slope(runs[0], runs[1]), 250_000.0, 90_000.0)?;

    let mut fewest = f64::INFINITY;
    for attempt in 0..ATTEMPTS {
        let mut runs = Vec::new();
        let mut lasts = Duration::ZERO;
        // What a gateway calls each second while nothing happens is no message's, and a slow machine has more such
        // seconds. So both runs last as long: as the one with more messages takes.
        for times in [GATEWAY.1, GATEWAY.0] {
            let (command, out): (Command, PathBuf) = strace::wrapped(program, folder);
            lasts = talk(command, &database(&format!("calls-{times}-{attempt}.db")), times, lasts).await?;
            runs.push((times, strace::total(&out).await?));
        }
        fewest = fewest.min(slope(runs[1], runs[0]));
    }
    report.add("message: system calls of the gateway", fewest, 20.0, 12.0)
}

/// `counts handler TIMES`: messages of a visitor, while an admin is there.
pub async fn handle(times: u32) -> Result<()> {
    let house = House::open("sqlite::memory:").await?;
    let (visitor, _) = (house.visitor().await?, house.admin().await?);
    house.frame(&visitor, &json!({"type": "join", "display_name": "Ada"})).await;
    for number in 0..times {
        let frames = house.text(&visitor, text(number)).await;
        if frames != 2 {
            return Err(format!("{frames} frames were sent, not one to each side").into());
        }
    }
    if house.newest()?["type"] != "message" {
        return Err("the last message was refused".into());
    }
    Ok(())
}

/// A visitor writes to an admin by the gateway. Each message is sent when all is done that the one before brought about, and
/// the gateway ends when nothing waits in its outbox, and not before the talk has lasted as long as is wanted. Answers
/// how long the messages took.
async fn talk(command: Command, database_url: &str, times: u32, lasts: Duration) -> Result<Duration> {
    let mut gateway = Gateway::start(command, database_url).await?;
    let mut admin = Admin::log_in(&mut gateway).await?;
    let mut visitor = Visitor::join(gateway.address(), 1).await?;
    gateway.rest().await?;
    let began = Instant::now();
    for number in 0..times {
        let frame = frame(number);
        visitor.say(&frame).await?;
        visitor.hear_message(&frame).await?;
        admin.hear_message(&frame).await?;
        gateway.rest().await?;
    }
    let took = began.elapsed();
    sleep(lasts.saturating_sub(took)).await;
    gateway.deliver().await?;
    gateway.stop().await?;
    Ok(took)
}
