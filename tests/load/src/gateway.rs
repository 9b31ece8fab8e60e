//! The program under load: started, looked at from outside, stopped.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::Mutex;

use crate::Result;

/// A gateway that runs.
pub struct Gateway {
    address: String,
    child: Child,
    terminal: Mutex<Lines<BufReader<ChildStderr>>>,
}

/// Memory of the process, shared pages counted in part (PSS).
#[derive(Clone, Copy)]
pub struct Memory {
    /// In KiB.
    pub kib: u64,
}

impl Memory {
    /// In MiB.
    #[expect(clippy::cast_precision_loss, reason = "memory in KiB is far below 2^52")]
    pub fn mib(self) -> f64 {
        self.kib as f64 / 1024.0
    }
}

impl Gateway {
    /// Starts `program` on a free port; every client may come with an address of its own, and nobody is slowed down.
    pub async fn start(program: &str, database_url: &str) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.to_string();
        let mut child = Command::new(program)
            .env_clear()
            .env("DATABASE_URL", database_url)
            .env("LISTEN_ADDR", &address)
            .env("OTP_HASH_SALT", "a salt for measurements, nothing else")
            .env("TRUSTED_PROXIES", "127.0.0.0/8")
            .env("WS_MAX_CLIENTS", "20000")
            .env("WS_USER_MSGS_PER_SEC", "1000")
            .env("WS_USER_BURST", "10000")
            .env("RUST_LOG", "warn")
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stderr = child.stderr.take().ok_or("the gateway has no standard error")?;
        let gateway = Self { address, child, terminal: Mutex::new(BufReader::new(stderr).lines()) };
        gateway.line("Panel").await?;
        Ok(gateway)
    }

    /// The next line of the gateway's terminal that has `part` in it.
    pub async fn line(&self, part: &str) -> Result<String> {
        let mut terminal = self.terminal.lock().await;
        let find = async {
            while let Some(line) = terminal.next_line().await? {
                if line.contains(part) {
                    return Ok(line);
                }
            }
            Err("the gateway has ended".into())
        };
        tokio::time::timeout(Duration::from_secs(20), find).await?
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// One request; answers its head and its body.
    pub async fn post(&self, path: &str, headers: &str, body: &str) -> Result<(String, String)> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let (address, length) = (&self.address, body.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer has no body")?;
        Ok((head.to_owned(), body.to_owned()))
    }

    /// Memory now.
    pub fn memory(&self) -> Result<Memory> {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid()?))?;
        let line = text.lines().find(|line| line.starts_with("Pss:")).ok_or("smaps_rollup has no Pss")?;
        let kib = line.split_whitespace().nth(1).ok_or("Pss has no number")?.parse()?;
        Ok(Memory { kib })
    }

    /// CPU time so far, in steps of 10 ms.
    pub fn cpu(&self) -> Result<Duration> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()?))?;
        // The program's name stands in brackets and may hold anything, so fields are counted after it.
        let (_, fields) = text.rsplit_once(')').ok_or("stat has no name")?;
        let ticks =
            fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<std::result::Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    fn pid(&self) -> Result<u32> {
        self.child.id().ok_or_else(|| "the gateway has ended".into())
    }

    /// Ends it.
    pub async fn stop(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}
