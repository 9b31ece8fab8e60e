//! The gateway's command line: settings, logs, the database, the port; then it serves until it is told to stop.

mod logs;
mod start;

use std::io::{Write, stdout};
use std::num::NonZero;
use std::process::ExitCode;

use gateway::setup::{self, Wish};
use ipnet::IpNet;
use mimalloc::MiMalloc;
use shared::config::{Config, Place};
use shared::time::SystemClock;
use tokio::runtime::{Builder, Runtime};

/// A quarter of what a message costs was the C library's allocator. SQLite's memory comes from this one too.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const HELP: &str = "\
Parley's gateway: the whole chat on one machine.

Usage: gateway [--connections-api] [--invoke URL [--stream ENDPOINT/TABLE]] [--connections-from NETWORK]
       gateway telegram setup [--check] [--drop-pending-updates]

  --invoke URL       call functions that run outside this process by the Lambda Invoke API at URL, such as
                     http://127.0.0.1:3001 (sam local start-lambda, cargo lambda watch); they have their own store
  --stream ENDPOINT/TABLE
                     hand the changes of TABLE on the DynamoDB-compatible server at ENDPOINT to their notifier
  --connections-api  serve /@connections/{id} to this machine; --invoke does so by itself
  --connections-from NETWORK
                     serve it to this network too, such as 172.17.0.0/16, where functions run in containers
  telegram setup     look at token, group, rights and webhook, say what is missing, set webhook and commands
  --check            change nothing
  --drop-pending-updates
                     lose what operators wrote while nobody listened
  --help             show this text
  --version          show the version

SIGUSR1 puts a copy of an SQLite database beside it (parley.db.backup for parley.db); SIGTERM stops.

Settings come from the environment (DATABASE_URL, LISTEN_ADDR, PUBLIC_URL …); .env.example lists them all.
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Serve(Arrangement),
    Setup(Wish),
    Help,
    Version,
}

/// What runs where.
#[derive(Debug, Default, PartialEq, Eq)]
struct Arrangement {
    connections_api: bool,
    connections_from: Option<IpNet>,
    invoke: Option<Elsewhere>,
}

/// Functions outside this process.
#[derive(Debug, PartialEq, Eq)]
struct Elsewhere {
    url: String,
    /// Endpoint and table.
    stream: Option<(String, String)>,
}

fn command(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut arguments = arguments.peekable();
    if arguments.next_if_eq("telegram").is_some() {
        return telegram(arguments).map(Command::Setup);
    }
    let (mut connections_api, mut connections_from, mut url, mut stream) = (false, None, None, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--connections-api" => connections_api = true,
            "--connections-from" => {
                let told = arguments.next().and_then(|told| told.parse().ok());
                connections_from = Some(told.ok_or("--connections-from needs a network, such as 172.17.0.0/16.")?);
            }
            "--invoke" => {
                let told = arguments.next().and_then(|told| address(&told));
                url = Some(told.ok_or("--invoke needs an http:// address.")?);
            }
            "--stream" => {
                let told = arguments.next().and_then(|told| address(&told));
                let told = told.and_then(|told| told.rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())));
                let whole = told.filter(|(endpoint, table)| !endpoint.ends_with('/') && !table.is_empty());
                stream = Some(whole.ok_or("--stream needs http://HOST:PORT/TABLE.")?);
            }
            "--help" | "-h" => return Ok(Command::Help),
            "--version" | "-V" => return Ok(Command::Version),
            _ => return Err(format!("There is no option {argument:?}; --help shows those there are.")),
        }
    }
    if url.is_none() && stream.is_some() {
        return Err("--stream goes with --invoke: this gateway's own store has an outbox.".into());
    }
    if connections_from.is_some() && url.is_none() && !connections_api {
        return Err("--connections-from goes with --invoke or --connections-api.".into());
    }
    let invoke = url.map(|url| Elsewhere { url, stream });
    Ok(Command::Serve(Arrangement { connections_api, connections_from, invoke }))
}

fn telegram(mut arguments: impl Iterator<Item = String>) -> Result<Wish, String> {
    if arguments.next().as_deref() != Some("setup") {
        return Err("Of telegram there is one command: gateway telegram setup.".into());
    }
    let mut wish = Wish::default();
    for argument in arguments {
        match argument.as_str() {
            "--check" => wish.check = true,
            "--drop-pending-updates" => wish.drop_pending_updates = true,
            _ => return Err(format!("There is no option {argument:?}; --help shows those there are.")),
        }
    }
    Ok(wish)
}

fn address(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    text.starts_with("http://").then(|| text.to_owned())
}

fn main() -> ExitCode {
    let text = match command(std::env::args().skip(1)) {
        Ok(Command::Serve(arrangement)) => return serve(arrangement),
        Ok(Command::Setup(wish)) => return set_up_telegram(wish),
        Ok(Command::Help) => HELP.to_owned(),
        Ok(Command::Version) => format!("gateway {}\n", env!("CARGO_PKG_VERSION")),
        Err(mistake) => {
            eprintln!("{mistake}");
            return ExitCode::from(2);
        }
    };
    // Nobody listens when this fails.
    let _ = stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn serve(arrangement: Arrangement) -> ExitCode {
    run(async |config| match start::run(config, arrangement).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(start::Refused { sentence, code }) => {
            eprintln!("{sentence}");
            ExitCode::from(code)
        }
    })
}

/// Success only if operators can work.
fn set_up_telegram(wish: Wish) -> ExitCode {
    run(async |config| {
        let told = match setup::run(&config, &SystemClock, wish).await {
            Ok(report) => report.lines(&config).map(|lines| (lines, report.is_well())),
            Err(error) => Err(error),
        };
        match told {
            Ok((lines, is_well)) => {
                // Nobody listens when this fails.
                let _ = stdout().write_all(lines.as_bytes());
                if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(error) => {
                eprintln!("Telegram cannot be looked at: {error}.");
                ExitCode::FAILURE
            }
        }
    })
}

/// Reads the settings, begins to log and runs `act`.
fn run(act: impl AsyncFnOnce(Config) -> ExitCode) -> ExitCode {
    let config = match Config::from_env(Place::Gateway) {
        Ok(config) => config,
        Err(mistakes) => {
            eprint!("{mistakes}");
            return ExitCode::from(2);
        }
    };
    if let Err(mistake) = logs::init(&config.rust_log) {
        eprintln!("{mistake}");
        return ExitCode::from(2);
    }
    match runtime() {
        Ok(runtime) => runtime.block_on(act(config)),
        Err(error) => {
            eprintln!("The gateway cannot start its threads: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Half of the cores are for the threads of the store, or for the database beside it; and the fewer threads sockets are served by,
/// the seldomer a message wakes another one.
fn runtime() -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    Builder::new_multi_thread().worker_threads(cores.div_ceil(2)).enable_all().build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_understood() {
        let read = |arguments: &[&str]| command(arguments.iter().map(|argument| (*argument).to_owned()));

        let serve = |connections_api, invoke| {
            Ok(Command::Serve(Arrangement { connections_api, connections_from: None, invoke }))
        };
        assert_eq!(read(&[]), serve(false, None));
        assert_eq!(read(&["--connections-api"]), serve(true, None));
        let url = "http://127.0.0.1:3001";
        assert_eq!(read(&["--invoke", url]), serve(false, Some(Elsewhere { url: url.into(), stream: None })));
        let stream = Some(("http://127.0.0.1:8001".into(), "parley".into()));
        assert_eq!(
            read(&["--stream", "http://127.0.0.1:8001/parley", "--invoke", "http://127.0.0.1:3001/"]),
            serve(false, Some(Elsewhere { url: url.into(), stream }))
        );
        let connections_from = "172.17.0.0/16".parse().ok();
        let expected = Arrangement { connections_api: true, connections_from, invoke: None };
        let told = ["--connections-api", "--connections-from", "172.17.0.0/16"];
        assert_eq!(read(&told), Ok(Command::Serve(expected)));
        assert_eq!(read(&["--version"]), Ok(Command::Version));
        assert_eq!(read(&["-h"]), Ok(Command::Help));
        let wish = |check, drop_pending_updates| Ok(Command::Setup(Wish { check, drop_pending_updates }));
        assert_eq!(read(&["telegram", "setup"]), wish(false, false));
        assert_eq!(read(&["telegram", "setup", "--check"]), wish(true, false));
        assert_eq!(read(&["telegram", "setup", "--drop-pending-updates"]), wish(false, true));
        for (wrong, named) in [
            (&["--port", "1"][..], "--port"),
            (&["telegram"], "telegram setup"),
            (&["telegram", "setup", "--force"], "--force"),
            (&["--invoke"], "--invoke"),
            (&["--connections-from", "172.17.0.0/16"], "--connections-api"),
            (&["--connections-api", "--connections-from", "docker0"], "--connections-from"),
            (&["--invoke", "localhost"], "--invoke"),
            (&["--stream", "http://127.0.0.1:8001/parley"], "--invoke"),
            (&["--invoke", url, "--stream", "http://127.0.0.1:8001"], "--stream"),
        ] {
            assert!(read(wrong).is_err_and(|mistake| mistake.contains(named)), "{wrong:?}");
        }
    }
}
