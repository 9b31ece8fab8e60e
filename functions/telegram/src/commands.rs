//! What operators command, in a topic or as a reply: each is one rule of [`desk`].
//!
//! Those that change what the notifier tells of anyway (claims, closing) are answered only when they changed nothing.

use serde_json::Value;
use shared::model::{Status, Via};
use shared::telegram::setup::COMMANDS;
use shared::telegram::update::TelegramMessage;
use shared::{App, Error, chat, desk};

use crate::answer::{noted, say};
use crate::operators::{Operator, client_id, refused, told};
use crate::{canned, reports};

/// A command as somebody wrote it.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// In lower case, without its slash.
    pub name: String,
    /// The bot that it names.
    pub bot: Option<String>,
    /// What follows it.
    pub rest: String,
}

impl Command {
    /// A text that begins with a slash is a command, known or not, and never a word for a visitor.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().strip_prefix('/')?;
        let (head, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let (name, bot) = head.split_once('@').map_or((head, None), |(name, bot)| (name, Some(bot.to_owned())));
        Some(Self { name: name.to_ascii_lowercase(), bot, rest: rest.trim().to_owned() })
    }

    fn is_known(&self) -> bool {
        COMMANDS.contains(&self.name.as_str())
    }

    fn written(&self) -> String {
        let name: String = self.name.chars().take(40).collect();
        format!("/{name}")
    }
}

/// A command about a conversation.
pub async fn run(
    app: &App,
    operator: &Operator,
    message: &TelegramMessage,
    command: &Command,
    id: &str,
) -> Result<Option<Value>, Error> {
    if is_for_another_bot(app, command).await? {
        return Ok(None);
    }
    let desk = Desk { app, operator, message, id };
    let done = match command.name.as_str() {
        "claim" => desk.claim().await,
        "release" => desk.release().await,
        "close" => desk.set_status(Status::Closed).await,
        "reopen" => desk.set_status(Status::Open).await,
        "note" => desk.note(&command.rest).await,
        "tag" => desk.tag(&command.rest).await,
        "ban" => desk.ban().await,
        "unban" => desk.unban().await,
        "info" => reports::info(app, id).await.map(|text| Some(say(message, &text))),
        "history" => reports::history(app, id, &command.rest).await.map(|text| Some(say(message, &text))),
        "canned" => canned::command(app, operator, message, &command.rest, Some(id)).await,
        _ if command.is_known() => run_anywhere(app, operator, message, command).await,
        _ => Ok(Some(unknown(app, message, command))),
    };
    done.or_else(|error| refused(app, message, id, error))
}

/// A command that stands in no conversation.
pub async fn run_anywhere(
    app: &App,
    operator: &Operator,
    message: &TelegramMessage,
    command: &Command,
) -> Result<Option<Value>, Error> {
    if is_for_another_bot(app, command).await? {
        return Ok(None);
    }
    let text = match command.name.as_str() {
        "online" => presence(app, operator, true).await?,
        "offline" => presence(app, operator, false).await?,
        "stats" => reports::stats(app).await?,
        "help" => help(app),
        "canned" => return canned::command(app, operator, message, &command.rest, None).await,
        _ if command.is_known() => {
            app.catalogue.text(None, "telegram.answer.needs_conversation", &[("command", &command.written())])
        }
        // Among the team's own talk it may be meant for another bot.
        _ if command.bot.is_none() => return Ok(None),
        _ => return Ok(Some(unknown(app, message, command))),
    };
    Ok(Some(say(message, &text)))
}

fn unknown(app: &App, message: &TelegramMessage, command: &Command) -> Value {
    say(message, &app.catalogue.text(None, "telegram.answer.unknown_command", &[("command", &command.written())]))
}

/// Whether a command names a bot that is not ours; ours has a name here once somebody asked for it.
async fn is_for_another_bot(app: &App, command: &Command) -> Result<bool, Error> {
    let (Some(bot), Some(telegram)) = (&command.bot, &app.telegram) else { return Ok(false) };
    let known = telegram.known_username(app).await?;
    Ok(known.is_some_and(|username| !username.eq_ignore_ascii_case(bot)))
}

async fn presence(app: &App, operator: &Operator, here: bool) -> Result<String, Error> {
    desk::set_presence(app, &operator.key, here).await?;
    Ok(told(app, if here { "telegram.answer.online" } else { "telegram.answer.offline" }))
}

fn help(app: &App) -> String {
    let line = |name: &&str| format!("/{name} – {}", told(app, &format!("telegram.command.{name}")));
    let mut lines = vec![told(app, "telegram.answer.help")];
    lines.extend(COMMANDS.iter().map(line));
    lines.push(told(app, "telegram.answer.help_notes"));
    lines.join("\n")
}

/// Where a command is carried out.
struct Desk<'a> {
    app: &'a App,
    operator: &'a Operator,
    message: &'a TelegramMessage,
    id: &'a str,
}

impl Desk<'_> {
    fn say(&self, key: &str, values: &[(&str, &str)]) -> Value {
        say(self.message, &self.app.catalogue.text(None, key, values))
    }

    async fn claim(&self) -> Result<Option<Value>, Error> {
        let by = &self.operator.actor;
        let before = chat::item(self.app, self.id).await?;
        if before.claimed_by.as_ref() == Some(&by.name) {
            return Ok(Some(self.say("telegram.answer.claimed_already", &[])));
        }
        let item = desk::claim(self.app, by, self.id).await?;
        let other = item.claimed_by.filter(|name| *name != by.name);
        Ok(other.map(|name| self.say("telegram.answer.claimed_by", &[("name", &name)])))
    }

    async fn release(&self) -> Result<Option<Value>, Error> {
        if chat::item(self.app, self.id).await?.claimed_by.is_none() {
            return Ok(Some(self.say("telegram.answer.not_claimed", &[])));
        }
        desk::release(self.app, &self.operator.actor, self.id).await?;
        Ok(None)
    }

    async fn set_status(&self, status: Status) -> Result<Option<Value>, Error> {
        let is_so = chat::item(self.app, self.id).await?.status == status;
        let by = &self.operator.actor;
        match status {
            Status::Closed if is_so => return Ok(Some(self.say("telegram.answer.closed_already", &[]))),
            Status::Open if is_so => return Ok(Some(self.say("telegram.answer.open_already", &[]))),
            Status::Closed => desk::close(self.app, by, self.id).await?,
            Status::Open => desk::reopen(self.app, by, self.id).await?,
        };
        Ok(None)
    }

    async fn note(&self, text: &str) -> Result<Option<Value>, Error> {
        if text.is_empty() {
            return Ok(Some(self.say("telegram.answer.note_usage", &[])));
        }
        let client_id = client_id(self.message);
        desk::add_note(self.app, &self.operator.actor, Via::Telegram, self.id, text, Some(&client_id)).await?;
        Ok(Some(noted(self.message)))
    }

    async fn tag(&self, words: &str) -> Result<Option<Value>, Error> {
        let (app, by) = (self.app, &self.operator.actor);
        let tags = match words.strip_prefix('-') {
            _ if words.is_empty() => {
                let tags = chat::item(app, self.id).await?.tags.join(", ");
                return Ok(Some(self.say("telegram.answer.tag_usage", &[("tags", &tags)])));
            }
            Some(tag) => desk::remove_tag(app, by, self.id, tag.trim()).await,
            None => desk::add_tag(app, by, self.id, words).await,
        };
        match tags {
            Ok(tags) if tags.is_empty() => Ok(Some(self.say("telegram.answer.no_tags", &[]))),
            Ok(tags) => Ok(Some(self.say("telegram.answer.tags", &[("tags", &tags.join(", "))]))),
            Err(Error::InvalidMessage(_)) => Ok(Some(self.say("telegram.answer.tag_wrong", &[]))),
            Err(error) => Err(error),
        }
    }

    async fn ban(&self) -> Result<Option<Value>, Error> {
        let item = desk::ban(self.app, &self.operator.actor, self.id).await?;
        Ok(Some(self.say("telegram.answer.banned", &[("name", &item.visitor_name)])))
    }

    async fn unban(&self) -> Result<Option<Value>, Error> {
        let item = desk::unban(self.app, &self.operator.actor, self.id).await?;
        Ok(Some(self.say("telegram.answer.unbanned", &[("name", &item.visitor_name)])))
    }
}
