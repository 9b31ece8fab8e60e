//! The gateway's command line: settings, logs, the database, the port; then it serves until it is told to stop.

mod logs;
mod start;

use std::io::{Write, stdout};
use std::process::ExitCode;

use shared::config::{Config, Place};

const HELP: &str = "\
Parley's gateway: the whole chat on one machine.

Usage: gateway [--connections-api]

  --connections-api  serve /@connections/{id} to this machine, for functions that run outside this process
  --help             show this text
  --version          show the version

Settings come from the environment (DATABASE_URL, LISTEN_ADDR, PUBLIC_URL …); .env.example lists them all.
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Serve { connections_api: bool },
    Help,
    Version,
}

fn command(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut connections_api = false;
    for argument in arguments {
        match argument.as_str() {
            "--connections-api" => connections_api = true,
            "--help" | "-h" => return Ok(Command::Help),
            "--version" | "-V" => return Ok(Command::Version),
            _ => return Err(format!("There is no option {argument:?}; --help shows those there are.")),
        }
    }
    Ok(Command::Serve { connections_api })
}

fn main() -> ExitCode {
    let text = match command(std::env::args().skip(1)) {
        Ok(Command::Serve { connections_api }) => return serve(connections_api),
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

fn serve(connections_api: bool) -> ExitCode {
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
    match runtime.block_on(start::run(config, connections_api)) {
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

        assert_eq!(read(&[]), Ok(Command::Serve { connections_api: false }));
        assert_eq!(read(&["--connections-api"]), Ok(Command::Serve { connections_api: true }));
        assert_eq!(read(&["--version"]), Ok(Command::Version));
        assert_eq!(read(&["-h"]), Ok(Command::Help));
        assert!(read(&["--port", "1"]).is_err_and(|mistake| mistake.contains("--port")));
    }
}
