//! The rules of calling Telegram: which chat is the operators', how often a chat may be called, when not at all, and what
//! follows from an answer. Every call goes by a [`Gate`].
//!
//! A pause is a lease, which every process and function sees: of one chat, or of all of Telegram. What Telegram asks one
//! caller to wait, all wait, and no call is made before. While Telegram is down, one call in each pause finds out whether it
//! is back; the others cost nothing.

use serde::{Deserialize, Serialize};

use super::alert::{self, Trouble};
use super::media::Source;
use super::send::Post;
use super::{Telegram, TelegramError};
use crate::app::App;
use crate::error::chain;
use crate::event::Lane;
use crate::event::stream::wake;
use crate::id::sortable_id;
use crate::rate_limit::Rate;
use crate::store::{StoreError, StoreResult, Taken};
use crate::time::{HOUR, MINUTE, SECOND, Timestamp, backoff};

/// A run of calls begins none after so long, so that it ends while its caller still has the lane to itself.
const RUN: i64 = 5 * SECOND;
/// Telegram takes about one message a second in one chat, and a few at once,
const CHAT: Rate = Rate { burst: 3, interval_ms: SECOND };
/// 20 in any minute in one group: five at once and then one in 4 s,
const GROUP: Rate = Rate { burst: 5, interval_ms: 4 * SECOND };
/// and 30 a second in all, of which a group's own limit leaves 25 to private chats.
const PRIVATE: Rate = Rate { burst: 25, interval_ms: SECOND / 25 };
/// What lets nothing in until a person mends it is tried again after a minute at first, then after two, four …
const LONGEST_BAR: i64 = HOUR;
/// The same for a token that Telegram does not know: no update tells that it has been replaced.
const LONGEST_UNAUTHORIZED: i64 = 5 * MINUTE;
/// Where the operators' chat has moved to.
const MOVED: &str = "telegram:chat";
/// Whether the operators' chat has topics.
const FORUM: &str = "telegram:group";
/// For so long it is believed to be as it was.
const FORUM_AGE: i64 = HOUR;
/// The lease of everything's pause.
pub(super) const PAUSE: &str = "pause:telegram";
/// The lease that remembers the last 429.
const FLOOD: &str = "flood:telegram";

/// How a call stands to the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody waits for it: it counts, but waits for nothing but pauses.
    Now,
    /// What people wrote, and what happened: it waits for its turn.
    Text,
    /// As a text, but when it is refused, texts may still go.
    Aside,
    /// It may as well not be: it leaves room for texts, which may still go when it is refused.
    Spare,
    /// It puts nothing into a chat: it does not count.
    Free,
}

#[derive(Serialize, Deserialize)]
struct Moved {
    from: i64,
    to: i64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Group {
    chat_id: i64,
    is_forum: bool,
    asked_at: Timestamp,
}

/// The way to Telegram for a short run of calls.
pub struct Gate<'a> {
    app: &'a App,
    /// The bot.
    pub telegram: &'a Telegram,
    /// The operators' chat in force.
    pub chat_id: i64,
    opened_at: Timestamp,
    trouble: Option<Trouble>,
    forum: Option<Group>,
}

impl<'a> Gate<'a> {
    /// Finds out what is known of the operators' chat.
    pub async fn open(app: &'a App, telegram: &'a Telegram) -> StoreResult<Self> {
        let settings = app.store.settings("telegram:").await?;
        let setting = |name: &str| settings.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let moved = setting(MOVED).and_then(|json| in_force(telegram, json));
        Ok(Self {
            app,
            telegram,
            chat_id: moved.unwrap_or(telegram.chat_id),
            opened_at: app.now(),
            trouble: setting(alert::NAME).and_then(alert::parse),
            forum: setting(FORUM).and_then(|json| serde_json::from_str(json).ok()),
        })
    }

    /// Until when nothing goes to a chat.
    pub async fn paused_until(&self, chat_id: i64) -> StoreResult<Option<TelegramError>> {
        let now = self.app.now();
        if let Some(until) = self.app.store.leased_until(PAUSE, now).await? {
            return Ok(Some(TelegramError::Paused { until, everywhere: true }));
        }
        let until = self.app.store.leased_until(&pause_of(chat_id), now).await?;
        Ok(until.map(|until| TelegramError::Paused { until, everywhere: false }))
    }

    /// Makes a call about a chat, unless it has to wait, and draws the consequences of its answer.
    pub async fn ask<T>(
        &mut self,
        chat_id: i64,
        urgency: Urgency,
        call: impl Future<Output = Result<T, TelegramError>>,
    ) -> Result<T, TelegramError> {
        if let Some(paused) = self.paused_until(chat_id).await? {
            return Err(paused);
        }
        let now = self.app.now();
        if self.is_over() {
            return Err(TelegramError::Paced { until: now });
        }
        self.take(chat_id, urgency, now).await?;
        let answer = call.await;
        let bars = chat_id == self.chat_id && !matches!(urgency, Urgency::Aside | Urgency::Spare);
        self.settle(chat_id, answer, bars).await
    }

    /// Sends a message to a chat; answers its id.
    pub async fn post(&mut self, chat_id: i64, urgency: Urgency, post: &Post<'_>) -> Result<i64, TelegramError> {
        let telegram = self.telegram;
        self.ask(chat_id, urgency, telegram.send_message(chat_id, post)).await
    }

    /// Sends a file that Telegram has to a chat; answers the message's id.
    pub async fn post_file(
        &mut self,
        chat_id: i64,
        urgency: Urgency,
        file: Source<'_>,
        post: &Post<'_>,
    ) -> Result<i64, TelegramError> {
        let telegram = self.telegram;
        self.ask(chat_id, urgency, telegram.send_file(chat_id, file, post)).await
    }

    /// Whether the operators' chat has topics. One for which Telegram cannot tell has none.
    pub async fn is_forum(&mut self) -> Result<bool, TelegramError> {
        let (chat_id, now) = (self.chat_id, self.app.now());
        let fresh = |known: &Group| known.chat_id == chat_id && now.since(known.asked_at) < FORUM_AGE;
        if let Some(known) = self.forum.filter(fresh) {
            return Ok(known.is_forum);
        }
        let telegram = self.telegram;
        let is_forum = match self.ask(chat_id, Urgency::Free, telegram.get_chat(chat_id)).await {
            Err(TelegramError::Refused { .. }) => false,
            answer => answer?.is_forum,
        };
        self.remember_forum(is_forum).await?;
        Ok(is_forum)
    }

    /// The group has turned out to have no topics.
    pub async fn remember_forum(&mut self, is_forum: bool) -> StoreResult<()> {
        let forum = Group { chat_id: self.chat_id, is_forum, asked_at: self.app.now() };
        self.forum = Some(forum);
        let json = serde_json::to_string(&forum).map_err(|error| StoreError::Broken(error.into()))?;
        self.app.store.set_setting(FORUM, Some(&json)).await
    }

    /// What is known of the group is not true any more.
    pub fn forget_forum(&mut self) {
        self.forum = None;
    }

    /// Takes a token of each bucket, or none.
    async fn take(&self, chat_id: i64, urgency: Urgency, now: Timestamp) -> Result<(), TelegramError> {
        let buckets = buckets(chat_id);
        let reserve = match urgency {
            Urgency::Free => return Ok(()),
            Urgency::Spare => vec![buckets[0].clone(); 2],
            Urgency::Now | Urgency::Text | Urgency::Aside => Vec::new(),
        };
        let mut taken = Vec::new();
        for (key, rate) in reserve.iter().chain(&buckets) {
            match self.app.store.take(key, *rate, now).await? {
                Taken::Granted => taken.push((key, *rate)),
                Taken::Denied { .. } if urgency == Urgency::Now => {}
                Taken::Denied { retry_after_ms } => {
                    self.give_back(&taken, now).await?;
                    return Err(TelegramError::Paced { until: now.plus(retry_after_ms) });
                }
            }
        }
        self.give_back(&taken[..reserve.len().min(taken.len())], now).await?;
        Ok(())
    }

    async fn give_back(&self, taken: &[(&String, Rate)], now: Timestamp) -> StoreResult<()> {
        for (key, rate) in taken {
            self.app.store.give_back(key, *rate, now).await?;
        }
        Ok(())
    }

    async fn settle<T>(
        &mut self,
        chat_id: i64,
        answer: Result<T, TelegramError>,
        bars: bool,
    ) -> Result<T, TelegramError> {
        let error = match answer {
            Ok(answer) => {
                self.recovered(chat_id).await?;
                return Ok(answer);
            }
            Err(error) => error,
        };
        tracing::warn!(cause = %chain(&error), chat_id, "Telegram did not take it");
        Err(match (&error, verdict(&error)) {
            (TelegramError::RetryAfter(seconds), _) => self.flooded(chat_id, *seconds).await?,
            (TelegramError::Migrated(to), _) if chat_id == self.chat_id => {
                follow_migration(self.app, chat_id, *to).await?;
                (self.chat_id, self.forum) = (*to, None);
                error
            }
            (_, Verdict::Down) => {
                let tries = self.in_trouble("telegram_down", &error, None).await?;
                self.pause(PAUSE, backoff(i64::from(tries) - 1), true).await?
            }
            (_, Verdict::Unauthorized) => {
                let tries = self.in_trouble("telegram_unauthorized", &error, None).await?;
                self.pause(PAUSE, growing(tries).min(LONGEST_UNAUTHORIZED), true).await?
            }
            // A visitor's private chat is nobody's trouble but the visitor's own.
            (_, Verdict::Barred(code)) if bars => {
                let tries = self.in_trouble(code, &error, Some(chat_id)).await?;
                self.pause(&pause_of(chat_id), growing(tries), false).await?
            }
            _ => error,
        })
    }

    /// Pauses the chat to the second. A second 429 within a minute may be about the bot as a whole: everything is paused.
    async fn flooded(&mut self, chat_id: i64, seconds: i64) -> Result<TelegramError, TelegramError> {
        let now = self.app.now();
        let first = self.app.store.lease(FLOOD, &sortable_id(), now, now.plus(MINUTE)).await?;
        if first {
            return Ok(self.pause(&pause_of(chat_id), seconds * SECOND, false).await?);
        }
        self.in_trouble("telegram_flood", &TelegramError::RetryAfter(seconds), None).await?;
        Ok(self.pause(PAUSE, seconds * SECOND, true).await?)
    }

    /// A pause that is there already is never shortened.
    async fn pause(&self, name: &str, pause: i64, everywhere: bool) -> StoreResult<TelegramError> {
        let now = self.app.now();
        let before = self.app.store.leased_until(name, now).await?;
        let until = before.map_or(now.plus(pause), |before| before.max(now.plus(pause)));
        self.app.store.lease(name, name, now, until).await?;
        Ok(TelegramError::Paused { until, everywhere })
    }

    /// The bot may not do in the operators' chat what it should; nothing but that fails.
    pub async fn lacks_a_right(&mut self, error: &TelegramError) -> StoreResult<()> {
        self.in_trouble("telegram_rights", error, Some(self.chat_id)).await.map(|_| ())
    }

    /// Whether the run has taken its time.
    pub fn is_over(&self) -> bool {
        self.app.now().since(self.opened_at) > RUN
    }

    /// Notes a trouble; answers how often it has been met in a row.
    async fn in_trouble(&mut self, code: &str, error: &TelegramError, chat_id: Option<i64>) -> StoreResult<u32> {
        let trouble = alert::raise(self.app, self.trouble.take(), code, &error.to_string(), chat_id).await?;
        let tries = trouble.tries;
        self.trouble = Some(trouble);
        Ok(tries)
    }

    async fn recovered(&mut self, chat_id: i64) -> StoreResult<()> {
        let over = |trouble: &mut Trouble| trouble.chat_id.is_none_or(|troubled| troubled == chat_id);
        match self.trouble.take_if(over) {
            Some(trouble) => alert::clear(self.app, &trouble).await,
            None => Ok(()),
        }
    }
}

/// The buckets of a chat. A group's own is empty most often, so it is asked first.
fn buckets(chat_id: i64) -> Vec<(String, Rate)> {
    let chat = (format!("telegram:chat:{chat_id}"), CHAT);
    if chat_id < 0 {
        vec![(format!("telegram:group:{chat_id}"), GROUP), chat]
    } else {
        vec![chat, ("telegram:private".to_owned(), PRIVATE)]
    }
}

/// What a refusal is about.
enum Verdict {
    /// Telegram itself.
    Down,
    /// The bot's token.
    Unauthorized,
    /// The bot's place in the chat; the alert's code.
    Barred(&'static str),
    /// The call.
    Other,
}

fn verdict(error: &TelegramError) -> Verdict {
    const RIGHTS: [&str; 3] = ["rights", "CHAT_", "kicked"];
    match error {
        TelegramError::NoAnswer(_) => Verdict::Down,
        TelegramError::Refused { code, .. } if *code >= 500 || *code < 400 => Verdict::Down,
        TelegramError::Refused { code: 401, .. } => Verdict::Unauthorized,
        TelegramError::Refused { code: 404, description } if !description.contains("method") => Verdict::Unauthorized,
        TelegramError::Refused { code: 403, .. } => Verdict::Barred("telegram_forbidden"),
        TelegramError::Refused { description, .. }
            if description.contains("chat not found") || description.contains("upgraded") =>
        {
            Verdict::Barred("telegram_chat_not_found")
        }
        TelegramError::Refused { description, .. } if RIGHTS.iter().any(|word| description.contains(word)) => {
            Verdict::Barred("telegram_rights")
        }
        _ => Verdict::Other,
    }
}

fn growing(tries: u32) -> i64 {
    (MINUTE << (tries - 1).min(10)).min(LONGEST_BAR)
}

/// The lease that stands for a chat's pause.
pub(super) fn pause_of(chat_id: i64) -> String {
    format!("{PAUSE}:{chat_id}")
}

/// A move away from another chat than the configured one is an old story.
fn in_force(telegram: &Telegram, json: &str) -> Option<i64> {
    let moved: Moved = serde_json::from_str(json).ok()?;
    (moved.from == telegram.chat_id).then_some(moved.to)
}

/// Until when nothing at all goes to Telegram.
pub async fn all_paused_until(app: &App) -> StoreResult<Option<Timestamp>> {
    app.store.leased_until(PAUSE, app.now()).await
}

/// Until when nothing goes to the operators' chat.
pub async fn group_paused_until(app: &App) -> StoreResult<Option<Timestamp>> {
    let Some(chat_id) = chat_id(app).await? else { return Ok(None) };
    app.store.leased_until(&pause_of(chat_id), app.now()).await
}

/// The operators' chat in force: the configured one, or where that has moved to. `None`: Telegram is not set up.
pub async fn chat_id(app: &App) -> StoreResult<Option<i64>> {
    let Some(telegram) = &app.telegram else { return Ok(None) };
    let moved = app.store.setting(MOVED).await?;
    Ok(Some(moved.and_then(|json| in_force(telegram, &json)).unwrap_or(telegram.chat_id)))
}

/// The operators' chat `old` has become `new`; of any other chat nothing follows. Topics and messages of the old chat are
/// void; the notifier makes new ones as they are needed.
pub async fn follow_migration(app: &App, old: i64, new: i64) -> StoreResult<()> {
    let Some(telegram) = &app.telegram else { return Ok(()) };
    let in_force = chat_id(app).await?;
    if in_force == Some(new) || ![in_force, Some(telegram.chat_id)].contains(&Some(old)) {
        return Ok(());
    }
    let moved = Moved { from: telegram.chat_id, to: new };
    let json = serde_json::to_string(&moved).map_err(|error| StoreError::Broken(error.into()))?;
    tracing::warn!(old, new, "the operators' chat has moved; TELEGRAM_DEFAULT_CHAT_ID may be set to its new id");
    app.store.set_setting(MOVED, Some(&json)).await
}

/// The bot's place in the operators' chat has changed: what was refused may be allowed now.
pub async fn bot_changed(app: &App) -> StoreResult<()> {
    let Some(chat_id) = chat_id(app).await? else { return Ok(()) };
    let (now, pause) = (app.now(), pause_of(chat_id));
    app.store.set_setting(FORUM, None).await?;
    if let Some(trouble) = alert::trouble(app).await?.filter(|trouble| trouble.chat_id == Some(chat_id)) {
        app.store.lease(&pause, &pause, now, now).await?;
        alert::clear(app, &trouble).await?;
        // Where the lanes are woken by the stream, nobody else would look before the pause's end.
        let wake = wake(Lane::Telegram);
        app.store.lease(&wake, &wake, now, now.plus(MINUTE)).await?;
    }
    Ok(())
}
