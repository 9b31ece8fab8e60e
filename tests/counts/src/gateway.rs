//! The gateway's program, watched by a tool or not.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use shared::config::VARIABLES;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

use crate::Result;

/// Nothing takes longer without having failed; callgrind makes a program some fifty times slower.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// How often it is looked at whether the gateway rests, and how often in a row it must.
const BETWEEN: Duration = Duration::from_millis(1);
const QUIET: u32 = 4;
/// A delivery that is not done yet is asked about again after so long, since asking costs instructions too.
const BETWEEN_ASKING: Duration = Duration::from_millis(500);

/// A gateway that runs.
pub struct Gateway {
    address: String,
    child: Child,
    terminal: UnboundedReceiver<String>,
}

impl Gateway {
    /// Starts it on a free port, with every client's address believed and nobody slowed down.
    pub async fn start(mut command: Command, database_url: &str) -> Result<Self> {
        for setting in VARIABLES {
            command.env_remove(setting);
        }
        command
            .env("DATABASE_URL", database_url)
            .env("OTP_HASH_SALT", "a salt for measurements, nothing else")
            .env("TRUSTED_PROXIES", "127.0.0.0/8")
            .env("WS_MAX_CLIENTS", "20000")
            .env("WS_USER_MSGS_PER_SEC", "1000")
            .env("WS_USER_BURST", "10000")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        loop {
            let mut gateway = Self::spawn(&mut command)?;
            let told = gateway.line("Panel").await;
            // Another program may have been quicker to take the port.
            if !told.as_ref().is_err_and(|error| error.to_string().contains("is taken")) {
                return told.map(|_| gateway);
            }
        }
    }

    fn spawn(command: &mut Command) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let program = command.get_program().to_owned();
        let spawned = command.env("LISTEN_ADDR", &address).spawn();
        let mut child = spawned.map_err(|error| format!("{}: {error}", program.display()))?;
        let stderr = child.stderr.take().ok_or("the gateway has no standard error")?;
        let (lines, terminal) = unbounded_channel();
        std::thread::spawn(move || {
            // Ends with the process, or with the one who listens.
            for line in BufReader::new(stderr).lines().map_while(std::result::Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { address, child, terminal })
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The next line of its terminal that has `part` in it.
    pub async fn line(&mut self, part: &str) -> Result<String> {
        let find = async {
            let mut lines = String::new();
            while let Some(line) = self.terminal.recv().await {
                if line.contains(part) {
                    return Ok(line);
                }
                lines.push_str(&line);
            }
            Err(format!("the gateway has ended: {lines}").into())
        };
        timeout(PATIENCE, find).await.map_err(|_| format!("the gateway never said {part}"))?
    }

    /// One request; answers its head and its body.
    pub async fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Result<(String, String)> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let (address, length) = (&self.address, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await??;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer has no body")?;
        Ok((head.to_owned(), body.to_owned()))
    }

    /// Waits until none of its threads has anything to do.
    pub async fn rest(&self) -> Result<()> {
        let rest = async {
            let mut quiet = 0;
            while quiet < QUIET {
                sleep(BETWEEN).await;
                quiet = if self.sleeps()? { quiet + 1 } else { 0 };
            }
            Ok(())
        };
        timeout(PATIENCE, rest).await.map_err(|_| "the gateway never rests")?
    }

    fn sleeps(&self) -> Result<bool> {
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let state = std::fs::read_to_string(thread?.path().join("stat")).unwrap_or_default();
            // The thread's name stands in brackets and may hold anything. One that has just ended has no state.
            let state = state.rsplit_once(") ").map_or("S", |(_, fields)| fields);
            if !state.starts_with('S') {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits until nothing is left in the outbox.
    pub async fn deliver(&self) -> Result<()> {
        let deliver = async {
            loop {
                self.rest().await?;
                let (_, metrics) = self.request("GET", "/metrics", "", "").await?;
                let mut backlog = metrics.lines().filter(|line| line.starts_with("parley_outbox_backlog{"));
                let first = backlog.next().ok_or("the gateway tells no backlog")?;
                if first.ends_with(" 0") && backlog.all(|line| line.ends_with(" 0")) {
                    return Ok(());
                }
                sleep(BETWEEN_ASKING).await;
            }
        };
        timeout(PATIENCE, deliver).await.map_err(|_| "the outbox never empties")?
    }

    /// Memory now, in KiB, with shared pages counted in part (PSS).
    pub fn memory(&self) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line = text.lines().find(|line| line.starts_with("Pss:")).ok_or("smaps_rollup has no Pss")?;
        Ok(line.split_whitespace().nth(1).ok_or("Pss has no number")?.parse()?)
    }

    /// Ends it as an operator would.
    pub async fn stop(mut self) -> Result<()> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        if !told.success() {
            return Err("the gateway had ended already".into());
        }
        let end = async {
            while self.child.try_wait()?.is_none() {
                sleep(BETWEEN).await;
            }
            Ok(())
        };
        timeout(PATIENCE, end).await.map_err(|_| "the gateway does not end")?
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // After a failure it may still run.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
