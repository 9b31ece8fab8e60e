//! Parley with a Telegram of its own: the Bot API server of the tests by the machine's clock, a page that shows its group
//! and lets one act in it, and a gateway between the two. Started by `make run-telegram-sandbox`.

mod acts;
mod gateway;
mod page;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use shared::time::SystemClock;
use telegram_server::TelegramServer;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use acts::Cast;
use gateway::Gateway;

/// The operators' group.
const GROUP: i64 = -1_001_234_567_890;
/// Where people expect Parley, and where the group is if nobody else is there.
const PARLEY_PORT: u16 = 8_000;
const GROUP_PORT: u16 = 8_100;
/// How soon the webhook hears of what people did.
const DELIVERY: Duration = Duration::from_millis(50);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    let listener = listen(GROUP_PORT).await?;
    let group = listener.local_addr().map_err(|error| error.to_string())?;
    let telegram = Arc::new(TelegramServer::start(Arc::new(SystemClock), &[GROUP]).await);
    telegram.set_forum(GROUP, true);
    // The gateway takes this port a moment later.
    let parley = listen(PARLEY_PORT).await?.local_addr().map_err(|error| error.to_string())?;
    let cast = Arc::new(Cast::new(telegram.clone()));
    tokio::spawn(page::serve(listener, cast));
    let mut gateway = Gateway::start(parley, &telegram.url()).await?;
    eprintln!(
        "\n  Visitors  http://{parley}\n  Panel     http://{parley}/admin\n  Group     http://{group}\n\nCtrl-C stops it; \
         nothing is kept."
    );
    let mut looks = tokio::time::interval(DELIVERY);
    let delivering = async {
        loop {
            looks.tick().await;
            telegram.deliver().await;
        }
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let ended = tokio::select! {
        () = delivering => None,
        code = gateway.ended() => Some(code),
        _ = tokio::signal::ctrl_c() => None,
        _ = terminate.recv() => None,
    };
    gateway.stop().await;
    ended.map_or(Ok(()), |code| Err(format!("The gateway has ended by itself: {code}.")))
}

/// A port that people know or, when it is taken, any other.
async fn listen(port: u16) -> Result<TcpListener, String> {
    let at = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    match at(port).await {
        Ok(listener) => Ok(listener),
        Err(_) => at(0).await.map_err(|error| format!("There is no free port: {error}.")),
    }
}
