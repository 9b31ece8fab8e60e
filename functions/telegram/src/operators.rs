//! The operators' chat: who writes there, to which conversation, and what.

use serde_json::Value;
use shared::auth::Actor;
use shared::chat::SentMessage;
use shared::model::Via;
use shared::store::TelegramLink;
use shared::telegram::update::TelegramMessage;
use shared::{App, Error, chat, desk, wire};

use crate::answer::{noted, say, say_with_button};
use crate::commands::{self, Command};
use crate::media::{self, Brought, Sending};

/// Somebody of the team in Telegram.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Names them among those who said to be there.
    pub key: String,
    /// As the trail and visitors see them.
    pub actor: Actor,
}

impl Operator {
    /// Who wrote a message: a member, or the group itself where an administrator is anonymous. Bots and linked channels
    /// are nobody.
    pub fn of(app: &App, message: &TelegramMessage) -> Option<Self> {
        let (id, name) = match (&message.sender_chat, &message.from) {
            _ if message.is_automatic_forward => return None,
            (Some(chat), _) if chat.id == message.chat.id => {
                (chat.id, message.author_signature.clone().unwrap_or_default())
            }
            (None, Some(user)) if !user.is_bot => (user.id, user.name()),
            _ => return None,
        };
        Some(Self::named(app, id, &name))
    }

    /// An operator by their id and name.
    pub fn named(app: &App, id: i64, name: &str) -> Self {
        let name = wire::optional_text(Some(name), 80);
        let name = name.unwrap_or_else(|| app.catalogue.text(None, "system.support", &[]));
        Self { key: format!("telegram:{id}"), actor: Actor::in_telegram(name) }
    }
}

/// What a message is about.
enum Place {
    /// A conversation: its topic, or a reply to a message of its chain.
    Conversation(String),
    /// A conversation that has been erased, or none.
    Gone,
    /// The team's own talk.
    Team,
}

/// What an operator's text is.
enum Words {
    /// For us.
    Command(Command),
    /// For the visitor, and for the team; either may be empty.
    Said { reply: String, note: String },
}

impl Words {
    /// Lines that begin with `//` are notes. A text whose first line is one is a note as a whole: what follows may well belong
    /// to it, and must not reach a visitor by mistake.
    fn read(text: &str) -> Self {
        let is_note = |line: &&str| line.trim_start().starts_with("//");
        if !is_note(&text.trim_start()) {
            if let Some(command) = Command::parse(text) {
                return Self::Command(command);
            }
            let (notes, replies): (Vec<&str>, Vec<&str>) = text.lines().partition(is_note);
            return Self::Said { reply: replies.join("\n"), note: uncommented(&notes) };
        }
        Self::Said { reply: String::new(), note: uncommented(&text.lines().collect::<Vec<_>>()) }
    }
}

fn uncommented(lines: &[&str]) -> String {
    let words = |line: &&str| line.trim_start().strip_prefix("//").unwrap_or(line).trim().to_owned();
    lines.iter().map(words).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// A message in the operators' chat.
pub async fn wrote(app: &App, message: &TelegramMessage) -> Result<Option<Value>, Error> {
    let Some(operator) = Operator::of(app, message) else { return Ok(None) };
    if message.forum_topic_closed.is_some() || message.forum_topic_reopened.is_some() {
        return topic_changed(app, &operator, message).await.map(|()| None);
    }
    let words = match (&message.text, media::brought(&message.media)) {
        (Some(text), _) => Words::read(text),
        (None, Brought::Words(reply)) => Words::Said { reply, note: String::new() },
        (None, Brought::Nothing) => return Ok(None),
        (None, brought) => return sent(app, &operator, message, &brought).await,
    };
    match (words, place(app, message).await?) {
        (Words::Command(command), Place::Conversation(id)) => {
            commands::run(app, &operator, message, &command, &id).await
        }
        (Words::Command(command), _) => commands::run_anywhere(app, &operator, message, &command).await,
        (Words::Said { reply, note }, Place::Conversation(id)) => {
            said(app, &operator, message, &id, &reply, &note).await
        }
        (Words::Said { .. }, Place::Gone) => Ok(Some(say(message, &told(app, "telegram.is_gone")))),
        (Words::Said { .. }, Place::Team) => Ok(None),
    }
}

/// Somebody closed or reopened a topic by Telegram's own means. Our bot's doing so is no operator's.
async fn topic_changed(app: &App, operator: &Operator, message: &TelegramMessage) -> Result<(), Error> {
    let Place::Conversation(id) = place(app, message).await? else { return Ok(()) };
    let changed = if message.forum_topic_closed.is_some() {
        desk::close(app, &operator.actor, &id).await
    } else {
        desk::reopen(app, &operator.actor, &id).await
    };
    match changed {
        Ok(_) | Err(Error::ConversationNotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A thread says something only in a topic: a reply in General carries a random one. The conversation is found through our
/// own links alone.
async fn place(app: &App, message: &TelegramMessage) -> Result<Place, Error> {
    let chat_id = message.chat.id;
    if let Some(thread_id) = message.topic()
        && let Some(link) = app.store.linked(chat_id, thread_id).await?
    {
        return Ok(Place::Conversation(link.conversation_id));
    }
    let Some(answered) = &message.reply_to_message else { return Ok(Place::Team) };
    if let Some(link) = app.store.linked(chat_id, answered.message_id).await? {
        return Ok(Place::Conversation(link.conversation_id));
    }
    let bot_id = app.telegram.as_ref().map(|telegram| telegram.bot_id);
    let is_ours = answered.from.as_ref().is_some_and(|user| Some(user.id) == bot_id);
    Ok(if is_ours { Place::Gone } else { Place::Team })
}

/// An operator's words for the visitor, and those for the team.
async fn said(
    app: &App,
    operator: &Operator,
    message: &TelegramMessage,
    id: &str,
    reply: &str,
    note: &str,
) -> Result<Option<Value>, Error> {
    let client_id = client_id(message);
    let reply = Box::pin(async {
        if reply.trim().is_empty() {
            return Ok(None);
        }
        desk::send(app, &operator.actor, Via::Telegram, id, reply.to_owned(), Some(&client_id)).await.map(Some)
    });
    pass_on(app, operator, message, id, note, reply).await
}

/// Keeps the note, if there is one, then sends what is for the visitor, and says what became of both.
async fn pass_on(
    app: &App,
    operator: &Operator,
    message: &TelegramMessage,
    id: &str,
    note: &str,
    reply: impl Future<Output = Result<Option<SentMessage>, Error>>,
) -> Result<Option<Value>, Error> {
    let done = async {
        if !note.is_empty() {
            desk::add_note(app, &operator.actor, Via::Telegram, id, note, Some(&client_id(message))).await?;
        }
        if let Some(sent) = reply.await? {
            remember(app, message, id, sent.message.seq).await?;
        }
        Ok((!note.is_empty()).then(|| noted(message)))
    };
    done.await.or_else(|error| refused(app, message, id, error))
}

/// An operator sent something that is no text.
async fn sent(
    app: &App,
    operator: &Operator,
    message: &TelegramMessage,
    brought: &Brought,
) -> Result<Option<Value>, Error> {
    match (brought, place(app, message).await?) {
        (Brought::File(sending), Place::Conversation(id)) => sent_file(app, operator, message, &id, sending).await,
        (Brought::Refused(why), Place::Conversation(_)) => {
            Ok(Some(say(message, &told(app, &format!("telegram.file.{why}")))))
        }
        (_, Place::Gone) => Ok(Some(say(message, &told(app, "telegram.is_gone")))),
        _ => Ok(None),
    }
}

/// A file for the visitor, unless what stands under it is not for the visitor.
async fn sent_file(
    app: &App,
    operator: &Operator,
    message: &TelegramMessage,
    id: &str,
    sending: &Sending,
) -> Result<Option<Value>, Error> {
    let (reply, note) = match Words::read(sending.words()) {
        Words::Said { reply, note } if !reply.trim().is_empty() => (reply, note),
        _ => return Ok(Some(say(message, &told(app, "telegram.file.not_for_visitor")))),
    };
    let client_id = client_id(message);
    let reply = Box::pin(async { media::send(app, &operator.actor, id, sending, &reply, &client_id).await.map(Some) });
    pass_on(app, operator, message, id, &note, reply).await
}

/// Tells an operator why their words went nowhere.
pub fn refused(app: &App, message: &TelegramMessage, id: &str, error: Error) -> Result<Option<Value>, Error> {
    match error {
        Error::ConversationClosed => {
            let label = told(app, "telegram.button_reopen");
            let data = format!("reopen:{id}");
            Ok(Some(say_with_button(message, &told(app, "telegram.is_closed"), &label, &data)))
        }
        Error::ConversationNotFound => Ok(Some(say(message, &told(app, "telegram.is_gone")))),
        Error::MessageTooLong { .. } => Ok(Some(say(message, &told(app, "telegram.too_long")))),
        Error::MessageEmpty => Ok(None),
        error => Err(error),
    }
}

/// In a group without topics an operator's own message joins the chain, so that a reply to it finds the conversation too.
pub async fn remember(app: &App, message: &TelegramMessage, id: &str, seq: i64) -> Result<(), Error> {
    if message.topic().is_some() {
        return Ok(());
    }
    let (chat_id, message_id) = (message.chat.id, message.message_id);
    Ok(app.store.link(&TelegramLink { chat_id, message_id, conversation_id: id.to_owned(), seq }).await?)
}

/// An operator changed what they wrote. What was no word for the visitor before does not become one.
pub async fn edited(app: &App, message: &TelegramMessage) -> Result<Option<Value>, Error> {
    let text = message.text.clone().or_else(|| media::edited_words(&message.media));
    let (Some(text), Some(_)) = (text, Operator::of(app, message)) else { return Ok(None) };
    let Words::Said { reply, .. } = Words::read(&text) else { return Ok(None) };
    let Place::Conversation(id) = place(app, message).await? else { return Ok(None) };
    let Some(stored) = app.store.message_by_client_id(&id, &client_id(message)).await? else { return Ok(None) };
    // Telegram also calls it an edit when it has looked at a link.
    if stored.content == reply.trim() {
        return Ok(None);
    }
    match chat::edit(app, &id, stored.seq, &reply).await {
        Ok(_) => Ok(None),
        Err(error) => refused(app, message, &id, error),
    }
}

/// The same Telegram message always gets the same id, so a repeated update stores nothing twice.
pub fn client_id(message: &TelegramMessage) -> String {
    format!("tg_{}_{}", message.chat.id, message.message_id)
}

/// A text for operators.
pub fn told(app: &App, key: &str) -> String {
    app.catalogue.text(None, key, &[])
}
