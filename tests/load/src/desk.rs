//! The two admins who are online in every scenario: they hear everything, count it, and answer where that is asked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::{Value, json};
use shared::id::client_id;
use tokio::task::JoinSet;

use crate::people::message;
use crate::server::Server;
use crate::wire::{Frame, PADDING, PATIENCE, Socket, next, open, say};
use crate::{Result, histogram};

const ADMINS: usize = 2;
/// The first admin answers each message of a visitor whose number is a multiple of this.
const ANSWERED: i64 = 2;
const LOOK: Duration = Duration::from_millis(5);

/// The admins and what they have heard.
pub struct Desk {
    state: Arc<State>,
    listening: JoinSet<Result<()>>,
}

struct State {
    epoch: Instant,
    heard: [AtomicUsize; ADMINS],
    /// Whether the first admin reads and answers.
    busy: AtomicBool,
    answers: AtomicUsize,
    arrival: Mutex<Histogram<u64>>,
}

impl Desk {
    /// Two admins log in and open their panels. Times are told from `epoch`.
    pub async fn open(server: &Server, epoch: Instant) -> Result<Self> {
        let state = Arc::new(State {
            epoch,
            heard: Default::default(),
            busy: AtomicBool::new(false),
            answers: AtomicUsize::new(0),
            arrival: Mutex::new(histogram()?),
        });
        let mut listening = JoinSet::new();
        for number in 0..ADMINS {
            let path = if server.is_relay() { "/ws/admin".into() } else { log_in(server).await? };
            let socket = open(server.address(), &path, number).await?;
            listening.spawn(listen(socket, number, state.clone()));
        }
        Ok(Self { state, listening })
    }

    /// Whether messages are read and answered from now on.
    pub fn busy(&self, busy: bool) {
        self.state.busy.store(busy, Ordering::Relaxed);
    }

    /// Waits until each admin has heard what visitors and admins wrote since the last time; answers how many that were, and
    /// how long the visitors' were on their way to the first admin, in microseconds.
    pub async fn caught_up(&mut self, written: usize) -> Result<(usize, Histogram<u64>)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let expected = written + self.state.answers.load(Ordering::Relaxed);
            let heard = self.state.heard.each_ref().map(|heard| heard.load(Ordering::Relaxed));
            if heard.iter().all(|heard| *heard == expected) {
                let fresh = histogram()?;
                self.state.heard.iter().for_each(|heard| heard.store(0, Ordering::Relaxed));
                self.state.answers.store(0, Ordering::Relaxed);
                let mut arrival = self.state.arrival.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok((expected, std::mem::replace(&mut *arrival, fresh)));
            }
            if let Some(ended) = self.listening.try_join_next() {
                ended??;
            }
            if Instant::now() > deadline {
                return Err(format!("{expected} messages were confirmed, the admins heard {heard:?}").into());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn listen(mut socket: Socket, number: usize, state: Arc<State>) -> Result<()> {
    loop {
        let text = next(&mut socket).await?;
        let frame = Frame::read(&text)?;
        if frame.r#type != "message" {
            continue;
        }
        if number == 0 && frame.sender == Some("visitor") {
            if let Some(age) = frame.age(state.epoch) {
                state.arrival.lock().unwrap_or_else(PoisonError::into_inner).record(age)?;
            }
            if state.busy.load(Ordering::Relaxed) {
                attend(&mut socket, &frame, &state).await?;
            }
        }
        state.heard[number].fetch_add(1, Ordering::Relaxed);
    }
}

/// Reads what a visitor wrote, and answers some of it.
async fn attend(socket: &mut Socket, frame: &Frame<'_>, state: &State) -> Result<()> {
    let (Some(id), Some(seq)) = (frame.conversation_id, frame.seq) else {
        return Err("a message has no address".into());
    };
    say(socket, &json!({"type": "read", "conversation_id": id, "seq": seq})).await?;
    if seq % ANSWERED == 0 {
        say(socket, &json!({"type": "typing", "conversation_id": id})).await?;
        let mut answer = message("admin_message", &client_id(), PADDING);
        answer["conversation_id"] = id.into();
        state.answers.fetch_add(1, Ordering::Relaxed);
        say(socket, &answer).await?;
    }
    Ok(())
}

/// Asks for a code, reads it from the terminal, logs in; answers the path of the panel's socket.
async fn log_in(gateway: &Server) -> Result<String> {
    let (head, _) = gateway.post("/api/admin/request_otp", "", "").await?;
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).ok_or("no challenge was set")?;
    let cookie = cookie.split(';').next().unwrap_or_default();
    let line = gateway.line("login code").await?;
    let code: String = line.chars().filter(char::is_ascii_digit).take(6).collect();
    let (cookie, code) = (format!("cookie: {cookie}\r\n"), json!({"code": code}).to_string());
    let (_, session) = gateway.post("/api/admin/login", &cookie, &code).await?;
    let session: Value = serde_json::from_str(&session)?;
    let bearer = format!("authorization: Bearer {}\r\n", session["token"].as_str().ok_or("login failed")?);
    let (_, ticket) = gateway.post("/api/admin/ws_ticket", &bearer, "").await?;
    let ticket: Value = serde_json::from_str(&ticket)?;
    Ok(format!("/ws/admin?ticket={}", ticket["ticket"].as_str().ok_or("no ticket")?))
}
