//! The gateway of the sandbox: a process beside this one, with a database that goes when it goes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use telegram_server::{BOT_TOKEN, post};
use tokio::process::{Child, Command};

use crate::GROUP;

/// What the group shows the webhook; nobody else can reach it here.
const SECRET: &str = "secret-of-the-sandbox";
/// How long a first start may take on a slow machine.
const START_TIME: Duration = Duration::from_mins(1);
/// How long running work may take to finish.
const STOP_TIME: Duration = Duration::from_secs(30);

pub(crate) struct Gateway {
    child: Child,
    folder: PathBuf,
}

impl Gateway {
    /// Starts one at `address` and sets its Telegram up; what that says is shown.
    pub(crate) async fn start(address: SocketAddr, api_url: &str) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("parley-sandbox-{}", std::process::id()));
        let settings = [
            ("LISTEN_ADDR", address.to_string()),
            ("PUBLIC_URL", format!("http://{address}")),
            ("DATABASE_URL", format!("sqlite://{}/parley.db", folder.display())),
            ("ATTACHMENT_URL", format!("file://{}/attachments", folder.display())),
            ("TELEGRAM_BOT_TOKEN", BOT_TOKEN.to_owned()),
            ("TELEGRAM_DEFAULT_CHAT_ID", GROUP.to_string()),
            ("TELEGRAM_WEBHOOK_SECRET", SECRET.to_owned()),
            ("TELEGRAM_API_URL", api_url.to_owned()),
        ];
        let program = std::env::current_exe().map_err(|error| error.to_string())?.with_file_name("gateway");
        if !program.is_file() {
            return Err(format!("There is no gateway at {}: run `make run-telegram-sandbox`.", program.display()));
        }
        let command = || {
            let mut command = Command::new(&program);
            command.envs(settings.iter().cloned()).kill_on_drop(true);
            command
        };
        let cannot = |error: std::io::Error| format!("The gateway cannot be started: {error}.");
        let child = command().env("RUST_LOG", "warn").spawn().map_err(cannot)?;
        let mut gateway = Self { child, folder };
        gateway.wait_for(address).await?;
        eprintln!("\ngateway telegram setup");
        command().args(["telegram", "setup"]).status().await.map_err(cannot)?;
        Ok(gateway)
    }

    async fn wait_for(&mut self, address: SocketAddr) -> Result<(), String> {
        let answers = async {
            while post(address, "/health", &[], b"").await.is_none() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            () = answers => Ok(()),
            code = self.child.wait() => Err(format!("The gateway has ended: {}.", said(code))),
            () = tokio::time::sleep(START_TIME) => Err("The gateway does not answer.".into()),
        }
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(&mut self) -> String {
        said(self.child.wait().await)
    }

    /// Ends it as a service manager would, and removes what it kept.
    pub(crate) async fn stop(mut self) {
        if let Some(pid) = self.child.id() {
            // A process that is gone needs no signal.
            let _ = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await;
        }
        if tokio::time::timeout(STOP_TIME, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("{} stays: {error}.", self.folder.display());
        }
    }
}

fn said(code: std::io::Result<ExitStatus>) -> String {
    code.map_or_else(|error| error.to_string(), |status| status.to_string())
}
