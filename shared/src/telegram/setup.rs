//! The Bot API's methods that tell how a bot stands, and those that set it up.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Telegram, TelegramError};
use crate::i18n::Catalogue;

/// The kinds of updates that Parley handles; Telegram leaves out some that are not asked for by name.
pub const ALLOWED_UPDATES: [&str; 5] =
    ["message", "edited_message", "callback_query", "message_reaction", "my_chat_member"];

/// The operators' commands, in the order in which Telegram shows them. `telegram.command.{name}` says what each does.
pub const COMMANDS: [&str; 15] = [
    "claim", "release", "close", "reopen", "note", "tag", "info", "history", "canned", "ban", "unban", "online",
    "offline", "stats", "help",
];

/// The commands of a visitor's private chat with the bot.
pub const PRIVATE_COMMANDS: [&str; 2] = ["start", "stop"];

/// A bot, as it knows itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Me {
    /// Its user id.
    pub id: i64,
    /// Its name in `https://t.me/…`.
    pub username: String,
    /// Whether it sees every message of a group even where it is no administrator: its privacy mode is off.
    pub can_read_all_group_messages: bool,
}

/// A chat that a bot can reach.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ChatInfo {
    /// Up to 52 bits.
    pub id: i64,
    /// `private`, `group`, `supergroup` or `channel`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A group's name.
    pub title: Option<String>,
    /// Whether it has topics.
    pub is_forum: bool,
}

/// Somebody in a chat.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ChatMember {
    /// `creator`, `administrator`, `member`, `restricted`, `left` or `kicked`.
    pub status: String,
    /// Of somebody restricted: whether they are there at all.
    pub is_member: bool,
    /// Of an administrator.
    pub can_manage_topics: bool,
    /// Of an administrator.
    pub can_delete_messages: bool,
}

impl ChatMember {
    /// Whether they are in the chat.
    pub fn is_there(&self) -> bool {
        match self.status.as_str() {
            "creator" | "administrator" | "member" => true,
            "restricted" => self.is_member,
            _ => false,
        }
    }

    /// Whether they keep order there.
    pub fn is_administrator(&self) -> bool {
        matches!(self.status.as_str(), "creator" | "administrator")
    }
}

/// Where updates go, and how well.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WebhookInfo {
    /// Empty: nowhere.
    pub url: String,
    /// Updates that wait.
    pub pending_update_count: i64,
    /// Seconds since 1970.
    pub last_error_date: Option<i64>,
    /// Telegram's words for it.
    pub last_error_message: Option<String>,
    /// The kinds that are delivered; absent: Telegram's own choice.
    pub allowed_updates: Option<Vec<String>>,
}

/// A command and what it does.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct BotCommand {
    /// Without its slash.
    pub command: String,
    /// At most 256 characters.
    pub description: String,
}

/// Where a list of commands is shown.
#[derive(Clone, Copy, Debug)]
pub enum CommandScope {
    /// In one chat.
    Chat(i64),
    /// In the bot's private chats.
    PrivateChats,
}

impl CommandScope {
    /// The names of its commands.
    pub fn commands(self) -> &'static [&'static str] {
        match self {
            Self::Chat(_) => &COMMANDS,
            Self::PrivateChats => &PRIVATE_COMMANDS,
        }
    }

    /// Its commands, told in a language.
    pub fn told(self, catalogue: &Catalogue, locale: Option<&str>) -> Vec<BotCommand> {
        let told = |name: &&str| BotCommand {
            command: (*name).to_owned(),
            description: catalogue.text(locale, &format!("telegram.command.{name}"), &[]),
        };
        self.commands().iter().map(told).collect()
    }

    fn to_json(self) -> Value {
        match self {
            Self::Chat(chat_id) => json!({"type": "chat", "chat_id": chat_id}),
            Self::PrivateChats => json!({"type": "all_private_chats"}),
        }
    }
}

impl Telegram {
    /// Who the bot is; fails with 401 or 404 when its token is none.
    pub async fn get_me(&self) -> Result<Me, TelegramError> {
        self.call("getMe", &json!({})).await
    }

    /// A chat by its number.
    pub async fn get_chat(&self, chat_id: i64) -> Result<ChatInfo, TelegramError> {
        self.call("getChat", &json!({"chat_id": chat_id})).await
    }

    /// The groups, by number and name, of which updates tell that wait for nobody in particular. Telegram refuses this
    /// while a webhook is set.
    pub async fn get_groups(&self) -> Result<Vec<(i64, String)>, TelegramError> {
        let updates: Vec<Value> = self.call("getUpdates", &json!({"limit": 100})).await?;
        let chats =
            updates.iter().filter_map(Value::as_object).flat_map(|update| update.values().map(|what| &what["chat"]));
        let mut groups = Vec::new();
        for chat in chats.filter(|chat| chat["type"] == "group" || chat["type"] == "supergroup") {
            let group =
                (chat["id"].as_i64().unwrap_or_default(), chat["title"].as_str().unwrap_or_default().to_owned());
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        Ok(groups)
    }

    /// What somebody is in a chat. Telegram promises an answer about others only to an administrator.
    pub async fn get_chat_member(&self, chat_id: i64, user_id: i64) -> Result<ChatMember, TelegramError> {
        self.call("getChatMember", &json!({"chat_id": chat_id, "user_id": user_id})).await
    }

    /// Shows for some seconds that the bot writes: the one way to learn without a message whether it may.
    pub async fn send_typing(&self, chat_id: i64) -> Result<(), TelegramError> {
        self.call::<bool>("sendChatAction", &json!({"chat_id": chat_id, "action": "typing"})).await.map(drop)
    }

    /// Where updates go.
    pub async fn get_webhook_info(&self) -> Result<WebhookInfo, TelegramError> {
        self.call("getWebhookInfo", &json!({})).await
    }

    /// Has updates sent to `url` with `secret`. Those that wait are kept unless they are to be dropped, which loses what
    /// operators wrote.
    pub async fn set_webhook(&self, url: &str, secret: &str, drop_pending_updates: bool) -> Result<(), TelegramError> {
        let body = json!({
            "url": url, "secret_token": secret, "allowed_updates": ALLOWED_UPDATES,
            "drop_pending_updates": drop_pending_updates,
        });
        self.call::<bool>("setWebhook", &body).await.map(drop)
    }

    /// The commands of a scope in a language; `""` stands for all that have no list of their own.
    pub async fn get_my_commands(&self, scope: CommandScope, language: &str) -> Result<Vec<BotCommand>, TelegramError> {
        self.call("getMyCommands", &json!({"scope": scope.to_json(), "language_code": language})).await
    }

    /// Has Telegram offer these commands.
    pub async fn set_my_commands(
        &self,
        scope: CommandScope,
        language: &str,
        commands: &[BotCommand],
    ) -> Result<(), TelegramError> {
        let body = json!({"scope": scope.to_json(), "language_code": language, "commands": commands});
        self.call::<bool>("setMyCommands", &body).await.map(drop)
    }
}
