//! The program under load: started, looked at from outside, stopped.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::Mutex;

use crate::stores::Place;
use crate::{Result, process};

/// Either side of a comparison is up by then, also on a busy machine.
const START_TIME: Duration = Duration::from_secs(20);

/// A gateway or a relay that runs.
pub struct Server {
    address: String,
    child: Child,
    terminal: Mutex<Lines<BufReader<ChildStderr>>>,
    place: Place,
    is_relay: bool,
}

impl Server {
    /// Starts the gateway on a free port; every client may come with an address of its own, and nobody is slowed down.
    pub async fn gateway(program: &str, place: Place, more: &[(&str, String)]) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.to_string();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("DATABASE_URL", place.gateway_url())
            .env("LISTEN_ADDR", &address)
            .env("OTP_HASH_SALT", "a salt for measurements, nothing else")
            .env("TRUSTED_PROXIES", "127.0.0.0/8")
            .env("WS_MAX_CLIENTS", "20000")
            .env("WS_USER_MSGS_PER_SEC", "1000")
            .env("WS_USER_BURST", "10000")
            .env("RUST_LOG", "warn")
            .envs(more.iter().cloned());
        let server = Self::start(command, address, place, false)?;
        server.line("Panel").await?;
        Ok(server)
    }

    /// Starts the relay, which is this program.
    pub async fn relay(place: Place) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.env_clear().args(["relay", &place.relay_url()]);
        let mut server = Self::start(command, String::new(), place, true)?;
        let line = server.line("Relay on ").await?;
        line.trim_start_matches("Relay on ").clone_into(&mut server.address);
        Ok(server)
    }

    fn start(mut command: Command, address: String, place: Place, is_relay: bool) -> Result<Self> {
        let mut child = command.stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stderr = child.stderr.take().ok_or("the server has no standard error")?;
        Ok(Self { address, child, terminal: Mutex::new(BufReader::new(stderr).lines()), place, is_relay })
    }

    /// The next line of the server's terminal that has `part` in it.
    pub async fn line(&self, part: &str) -> Result<String> {
        let mut terminal = self.terminal.lock().await;
        let mut said = Vec::new();
        let find = async {
            while let Some(line) = terminal.next_line().await? {
                if line.contains(part) {
                    return Ok(line);
                }
                said.push(line);
            }
            Err(format!("the server has ended: {}", said.join(" ")).into())
        };
        tokio::time::timeout(START_TIME, find).await?
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether it takes whoever comes for an admin.
    pub fn is_relay(&self) -> bool {
        self.is_relay
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

    /// Memory of the process in KiB; the database's own is not counted.
    pub fn memory(&self) -> Result<u64> {
        process::pss(self.pid()?)
    }

    /// CPU time so far, with that of the database's processes.
    pub fn cpu(&self) -> Result<Duration> {
        let database = self.place.postmaster().map_or(Ok(Duration::ZERO), process::cpu)?;
        Ok(process::cpu(self.pid()?)? + database)
    }

    fn pid(&self) -> Result<u32> {
        self.child.id().ok_or_else(|| "the server has ended".into())
    }

    /// Ends it and throws away what it has kept.
    pub async fn stop(mut self) -> Result<()> {
        self.child.kill().await?;
        self.place.remove().await
    }
}
