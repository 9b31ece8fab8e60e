//! Visitors who keep reconnecting: nothing is lost, nothing comes twice, and memory does not grow.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use serde_json::json;
use tokio::task::JoinSet;

use crate::people::{Visitor, crowd, message};
use crate::server::Server;
use crate::wire::{Frame, PATIENCE, Socket, content, hear, next, open, say};
use crate::{Result, as_f64};

/// Between two looks at the server's memory.
const LOOK: Duration = Duration::from_secs(2);
/// A visitor stays for so many messages, and writes one in each of these steps.
const STAY: usize = 3;
const STEP: Duration = Duration::from_secs(3);
/// Memory is compared in windows of this part of the whole.
const WINDOW: usize = 10;
/// The check at the end reads so many conversations at a time.
const AT_ONCE: usize = 32;

/// What has become of everybody.
pub struct Soak {
    /// How long it took.
    pub length: Duration,
    /// Who kept coming back.
    pub visitors: usize,
    /// How often somebody came back.
    pub returns: usize,
    /// How many messages were written.
    pub written: usize,
    /// How many of them are not there.
    pub lost: usize,
    /// How many are there once more.
    pub doubled: usize,
    /// How many places in conversations are empty.
    pub holes: usize,
    /// Memory over time: seconds and KiB.
    pub memory: Vec<(f64, u64)>,
}

impl Soak {
    /// From the end of the first third to the end of the whole, in per cent.
    pub fn growth(&self) -> f64 {
        let (count, window) = (self.memory.len(), (self.memory.len() / WINDOW).max(1));
        let mean = |from: usize| {
            let part: Vec<_> = self.memory.iter().skip(from).take(window).map(|(_, kib)| *kib).collect();
            as_f64(usize::try_from(part.iter().sum::<u64>()).unwrap_or_default()) / as_f64(part.len().max(1))
        };
        (mean(count.saturating_sub(window)) / mean(count / 3) - 1.0) * 100.0
    }
}

/// What one visitor remembers.
struct Regular {
    number: usize,
    conversation_id: String,
    token: String,
    /// So many of its messages are confirmed, each at its place: the first is number 1.
    confirmed: usize,
    returns: usize,
}

/// Lets `count` visitors come and go for `length`, looks what is left, and stops the server.
pub async fn soak(server: Server, count: usize, length: Duration) -> Result<Soak> {
    let begin = Instant::now();
    let mut regulars = JoinSet::new();
    for visitor in crowd(server.address(), count).await? {
        let regular = Regular::from(visitor).await;
        regulars.spawn(regular.come_and_go(server.address().to_owned(), begin, length));
    }
    let mut memory = Vec::new();
    let mut looks = tokio::time::interval(LOOK);
    while begin.elapsed() < length {
        looks.tick().await;
        memory.push((begin.elapsed().as_secs_f64(), server.memory()?));
    }
    let regulars: Vec<_> = regulars.join_all().await.into_iter().collect::<Result<_>>()?;
    let mut soak = Soak {
        length,
        visitors: count,
        returns: regulars.iter().map(|regular| regular.returns).sum(),
        written: regulars.iter().map(|regular| regular.confirmed).sum(),
        lost: 0,
        doubled: 0,
        holes: 0,
        memory,
    };
    for some in regulars.chunks(AT_ONCE) {
        for (lost, doubled, holes) in try_join_all(some.iter().map(|one| one.look_back(server.address()))).await? {
            soak.lost += lost;
            soak.doubled += doubled;
            soak.holes += holes;
        }
    }
    server.stop().await?;
    Ok(soak)
}

impl Regular {
    async fn from(visitor: Visitor) -> Self {
        let (number, conversation_id, token) = visitor.identity();
        visitor.leave().await;
        Self { number, conversation_id, token, confirmed: 0, returns: 0 }
    }

    /// Comes, writes a little, and goes: politely, without a word, or before its last message is confirmed.
    async fn come_and_go(mut self, address: String, begin: Instant, length: Duration) -> Result<Self> {
        // Not everybody at the same moment.
        tokio::time::sleep(STEP.mul_f64(as_f64(self.number % 97) / 97.0)).await;
        while begin.elapsed() < length {
            let mut socket = self.come(&address).await?;
            for _ in 0..STAY {
                self.write(&mut socket, begin).await?;
                self.confirm(&mut socket).await?;
                tokio::time::sleep(STEP).await;
            }
            match (self.number + self.returns) % 3 {
                0 => drop(socket.close(None).await),
                1 => {}
                _ => self.write(&mut socket, begin).await?,
            }
            self.returns += 1;
        }
        let mut socket = self.come(&address).await?;
        // What was sent last may have been on its way when its sender left: it is sent again, as a page would.
        self.write(&mut socket, begin).await?;
        self.confirm(&mut socket).await?;
        Ok(self)
    }

    async fn come(&mut self, address: &str) -> Result<Socket> {
        let (mut socket, head) = self.resume(address, self.confirmed).await?;
        let found = usize::try_from(head)?;
        if found < self.confirmed || found > self.confirmed + 1 {
            return Err(format!("{} messages are confirmed and the conversation has {found}", self.confirmed).into());
        }
        if found > self.confirmed {
            // The one whose confirmation nobody waited for; sending it again must change nothing.
            self.write(&mut socket, Instant::now()).await?;
            self.confirm(&mut socket).await?;
        }
        Ok(socket)
    }

    async fn resume(&self, address: &str, since: usize) -> Result<(Socket, i64)> {
        let mut socket = open(address, "/ws/client", self.number).await?;
        let (id, token) = (&self.conversation_id, &self.token);
        say(&mut socket, &json!({"type": "resume", "conversation_id": id, "resume_token": token, "since": since}))
            .await?;
        let text = hear(&mut socket, "history").await?;
        let head = Frame::read(&text)?.head_seq.ok_or("a history has no head")?;
        Ok((socket, head))
    }

    /// Writes the first message that is not confirmed.
    async fn write(&self, socket: &mut Socket, epoch: Instant) -> Result<()> {
        say(socket, &message("message", &self.client_id(self.confirmed + 1), &content(epoch))).await
    }

    async fn confirm(&mut self, socket: &mut Socket) -> Result<()> {
        let client_id = self.client_id(self.confirmed + 1);
        let wait = async {
            loop {
                let text = next(socket).await?;
                let frame = Frame::read(&text)?;
                if frame.r#type == "message" && frame.client_id == Some(&client_id) {
                    return Ok::<_, Box<dyn std::error::Error + Send + Sync>>(frame.seq);
                }
            }
        };
        let seq = tokio::time::timeout(PATIENCE, wait).await.map_err(|_| "a message was not confirmed")??;
        self.confirmed += 1;
        if seq == i64::try_from(self.confirmed).ok() {
            Ok(())
        } else {
            Err(format!("{client_id} is at {seq:?}").into())
        }
    }

    fn client_id(&self, number: usize) -> String {
        format!("{}-{number}", self.conversation_id.replace('-', ""))
    }

    /// Reads the whole conversation; answers how many messages are lost, are there twice, and how many places are empty.
    async fn look_back(&self, address: &str) -> Result<(usize, usize, usize)> {
        let (mut since, mut places, mut names) = (0, BTreeSet::new(), Vec::new());
        let mut socket = open(address, "/ws/client", self.number).await?;
        loop {
            let (id, token) = (&self.conversation_id, &self.token);
            let resume = json!({"type": "resume", "conversation_id": id, "resume_token": token, "since": since});
            say(&mut socket, &resume).await?;
            let text = hear(&mut socket, "history").await?;
            let history = Frame::read(&text)?;
            for message in &history.messages {
                since = since.max(message.seq.unwrap_or_default());
                places.insert(message.seq);
                names.push(message.client_id.unwrap_or_default().to_owned());
            }
            if !history.has_more || history.messages.is_empty() {
                break;
            }
        }
        let found: BTreeSet<_> = names.iter().cloned().collect();
        let lost = (1..=self.confirmed).filter(|number| !found.contains(&self.client_id(*number))).count();
        let holes = usize::try_from(since)?.saturating_sub(places.len());
        Ok((lost, names.len() - found.len(), holes))
    }
}
