//! Visitors, as sockets.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use serde_json::{Value, json};
use shared::id::client_id;

use crate::Result;
use crate::wire::{Frame, PATIENCE, Socket, content, hear, next, open, say};

/// So many visitors come in at the same time.
const AT_ONCE: usize = 32;
/// Of those who write, one in so many leaves and comes back instead, where people do that.
const LEAVING: usize = 10;

/// A visitor with a conversation of its own.
pub struct Visitor {
    socket: Socket,
    number: usize,
    conversation_id: String,
    token: String,
    seq: i64,
}

/// What visitors do.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Times are told from here.
    pub epoch: Instant,
    /// Between two messages of one visitor.
    pub between: Duration,
    /// Nobody begins anything after it.
    pub end: tokio::time::Instant,
    /// Whether they also type, read, leave and come back.
    pub mixed: bool,
}

/// Brings visitors in, a few at a time.
pub async fn crowd(address: &str, count: usize) -> Result<Vec<Visitor>> {
    let mut crowd = Vec::with_capacity(count);
    while crowd.len() < count {
        let more = crowd.len()..count.min(crowd.len() + AT_ONCE);
        crowd.extend(try_join_all(more.map(|number| Visitor::join(address, number))).await?);
    }
    Ok(crowd)
}

impl Visitor {
    /// Comes in from an address of its own and joins.
    pub async fn join(address: &str, number: usize) -> Result<Self> {
        let mut socket = open(address, "/ws/client", number).await?;
        say(&mut socket, &json!({"type": "join", "display_name": "Ada"})).await?;
        let text = hear(&mut socket, "joined").await?;
        let joined = Frame::read(&text)?;
        let (id, token) = joined.conversation_id.zip(joined.resume_token).ok_or("nobody was let in")?;
        Ok(Self { socket, number, conversation_id: id.into(), token: token.into(), seq: 0 })
    }

    /// Writes on a schedule, the first time after `first`, whether or not what was written before has arrived; answers how
    /// long each message took to be confirmed, in microseconds.
    pub async fn talk(mut self, address: &str, first: Duration, plan: Plan) -> Result<(Self, Vec<u64>)> {
        let begin = tokio::time::Instant::now() + first;
        let mut clock = tokio::time::interval_at(begin, plan.between);
        let (mut times, mut written, mut turn) = (Vec::new(), 0, 0);
        let mut end = std::pin::pin!(tokio::time::sleep_until(plan.end));
        let mut deadline = std::pin::pin!(tokio::time::sleep_until(plan.end + PATIENCE));
        let mut ended = false;
        while !ended || times.len() < written {
            tokio::select! {
                () = &mut end, if !ended => ended = true,
                _ = clock.tick(), if !ended => {
                    turn += 1;
                    // Whoever still waits for an answer does not leave.
                    if plan.mixed && (self.number + turn).is_multiple_of(LEAVING) && times.len() == written {
                        self.come_back(address).await?;
                    } else {
                        self.write(plan).await?;
                        written += 1;
                    }
                }
                text = next(&mut self.socket) => times.extend(self.take(&text?, plan).await?),
                () = &mut deadline => return Err("a message was not confirmed".into()),
            }
        }
        Ok((self, times))
    }

    /// Writes and waits until it is confirmed.
    pub async fn write_and_wait(&mut self, epoch: Instant) -> Result<()> {
        let client_id = self.say_something(epoch).await?;
        let wait = async {
            while Frame::read(&next(&mut self.socket).await?)?.client_id != Some(&client_id) {}
            Ok(())
        };
        tokio::time::timeout(PATIENCE, wait).await.map_err(|_| "a message was not confirmed")?
    }

    /// Its number, its conversation and what opens that again.
    pub fn identity(&self) -> (usize, String, String) {
        (self.number, self.conversation_id.clone(), self.token.clone())
    }

    /// Leaves.
    pub async fn leave(mut self) {
        // The other side may have gone first.
        let _ = self.socket.close(None).await;
    }

    async fn write(&mut self, plan: Plan) -> Result<()> {
        if plan.mixed {
            say(&mut self.socket, &json!({"type": "typing"})).await?;
        }
        self.say_something(plan.epoch).await.map(drop)
    }

    async fn say_something(&mut self, epoch: Instant) -> Result<String> {
        let client_id = client_id();
        say(&mut self.socket, &message("message", &client_id, &content(epoch))).await?;
        Ok(client_id)
    }

    /// Looks at a frame; answers the age of a message of its own.
    async fn take(&mut self, text: &str, plan: Plan) -> Result<Option<u64>> {
        let frame = Frame::read(text)?;
        if frame.r#type != "message" {
            return Ok(None);
        }
        self.seq = self.seq.max(frame.seq.unwrap_or_default());
        if frame.sender == Some("visitor") {
            return Ok(frame.age(plan.epoch));
        }
        if plan.mixed {
            say(&mut self.socket, &json!({"type": "read", "seq": self.seq})).await?;
        }
        Ok(None)
    }

    async fn come_back(&mut self, address: &str) -> Result<()> {
        // The other side may have gone first.
        let _ = self.socket.close(None).await;
        self.socket = open(address, "/ws/client", self.number).await?;
        let (id, token) = (&self.conversation_id, &self.token);
        let resume = json!({"type": "resume", "conversation_id": id, "resume_token": token, "since": self.seq});
        say(&mut self.socket, &resume).await?;
        let text = hear(&mut self.socket, "history").await?;
        self.seq = Frame::read(&text)?.head_seq.unwrap_or(self.seq);
        Ok(())
    }
}

/// A message to send.
pub fn message(kind: &str, client_id: &str, content: &str) -> Value {
    json!({"type": kind, "client_id": client_id, "content": content})
}
