//! The gateway's command line: settings, logs, the database, the port; then it serves until it is told to stop.

mod logs;
mod start;

use std::io::{Write, stdout};
use std::process::ExitCode;

use ipnet::IpNet;
use shared::config::{Config, Place};

const HELP: &str = "\
Parley's gateway: the whole chat on one machine.

Usage: gateway [--connections-api] [--invoke URL [--stream ENDPOINT/TABLE]] [--connections-from NETWORK]

  --invoke URL       call functions that run outside this process by the Lambda Invoke API at URL, such as
                     http://127.0.0.1:3001 (sam local start-lambda, cargo lambda watch); they have their own store
  --stream ENDPOINT/TABLE
                     hand the changes of TABLE on the DynamoDB-compatible server at ENDPOINT to their notifier
  --connections-api  serve /@connections/{id} to this machine; --invoke does so by itself
  --connections-from NETWORK
                     serve it to this network too, such as 172.17.0.0/16, where functions run in containers
  --help             show this text
  --version          show the version

Settings come from the environment (DATABASE_URL, LISTEN_ADDR, PUBLIC_URL …); .env.example lists them all.
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Serve(Arrangement),
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

fn command(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
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

fn address(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    text.starts_with("http://").then(|| text.to_owned())
}

fn main() -> ExitCode {
    let text = match command(std::env::args().skip(1)) {
        Ok(Command::Serve(arrangement)) => return serve(arrangement),
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
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The gateway cannot start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(start::run(config, arrangement)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(start::Refused { sentence, code }) => {
            eprintln!("{sentence}");
            ExitCode::from(code)
        }
    }
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
        for (wrong, named) in [
            (&["--port", "1"][..], "--port"),
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
