//! The gateway's program itself, started and killed as people and machines do it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::browser::ORIGIN;
use super::house::{RELAXED, SALT, code_in};
use super::{Admin, Browser, Visitor, eventually, within};
use crate::stores::Home;

pub struct Process {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
    addresses: AtomicU8,
}

#[expect(clippy::disallowed_methods, reason = "the harness is told where the program is")]
pub fn program(name: &str) -> PathBuf {
    let told = std::env::var_os("GATEWAY_BIN").map(PathBuf::from).filter(|_| name == "gateway");
    let beside = || std::env::current_exe().unwrap().parent().unwrap().with_file_name(name);
    let program = told.unwrap_or_else(beside);
    assert!(
        program.is_file(),
        "there is no {name} at {}: run `cargo build -p gateway -p tests --bins` first; GATEWAY_BIN may name the gateway",
        program.display()
    );
    program
}

/// Runs the program to its end; answers its exit code and everything that it wrote.
pub async fn run_program(arguments: &[&str], settings: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(program("gateway"));
    command.env_clear().args(arguments).envs(settings.iter().copied()).kill_on_drop(true);
    let output = within("its end", command.output()).await.unwrap();
    let written = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(written).unwrap())
}

impl Process {
    /// Starts it on a home's database and waits until it serves. Its clock is the machine's.
    pub async fn start(home: &Home, settings: &[(&str, &str)]) -> Self {
        loop {
            let mut process = Self::spawn(home, settings);
            let serves = eventually("the gateway serves", async || {
                let ended = process.child.try_wait().unwrap().map(|_| false);
                ended.or_else(|| process.log().contains("Parley").then_some(true))
            });
            if serves.await {
                return process;
            }
            process.reader.await.unwrap();
            let log = process.log.lock().unwrap();
            assert!(log.contains("is taken"), "{log}");
        }
    }

    /// On a port that was free a moment ago.
    fn spawn(home: &Home, settings: &[(&str, &str)]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut child = Command::new(program("gateway"))
            .env_clear()
            .envs(RELAXED.iter().copied())
            .env("WS_USER_MSGS_PER_SEC", "1000")
            .env("DATABASE_URL", home.url.reveal())
            .env("LISTEN_ADDR", address.to_string())
            .env("ALLOWED_ORIGINS", ORIGIN)
            .env("OTP_HASH_SALT", SALT)
            .envs(settings.iter().copied())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log: Arc<Mutex<String>> = Arc::default();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let reader = tokio::spawn({
            let log = log.clone();
            async move {
                while let Ok(Some(line)) = lines.next_line().await {
                    let mut log = log.lock().unwrap();
                    log.push_str(&line);
                    log.push('\n');
                }
            }
        });
        Self { child, address, log, reader, addresses: AtomicU8::new(1) }
    }

    /// What it has written to stderr.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn newcomer(&self) -> Browser {
        let last = self.addresses.fetch_add(1, Ordering::Relaxed) + 1;
        Browser::new(self.address, Ipv4Addr::new(127, 0, 1, last))
    }

    pub async fn visitor(&self, name: &str) -> Visitor {
        Visitor::join(self.newcomer(), name).await
    }

    pub async fn admin(&self, name: &str) -> (Admin, String) {
        let browser = self.newcomer();
        let cookie = browser.request_otp().await;
        let code = eventually("a code on the terminal", async || {
            self.log().lines().filter(|line| line.contains("login code")).find_map(code_in)
        });
        let code = code.await;
        (Admin::enter(browser, &cookie, &code, name).await, cookie)
    }

    /// kill -9.
    pub async fn kill(mut self) {
        within("its death", self.child.kill()).await.unwrap();
        self.reader.await.unwrap();
    }

    /// Sends it a signal: `-USR1`.
    pub async fn signal(&self, signal: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().await.unwrap();
        assert!(sent.success());
    }

    /// SIGTERM; answers the exit code and everything it wrote to stderr.
    pub async fn terminate(mut self) -> (Option<i32>, String) {
        self.signal("-TERM").await;
        let status = within("its end", self.child.wait()).await.unwrap();
        self.reader.await.unwrap();
        let log = self.log.lock().unwrap().clone();
        (status.code(), log)
    }
}
