//! What goes wrong on purpose.

use crate::api::Answer;

/// How a call fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429: every call to any chat before so many seconds have passed is refused as well.
    Flood(i64),
    /// 429: every call to the same chat before so many seconds have passed is refused as well.
    ChatFlood(i64),
    /// 403: the bot was removed from the group.
    Kicked,
    /// 400: the group became a supergroup with this id.
    Migrated(i64),
    /// 401: the bot's token was revoked.
    Unauthorized,
    /// 400: the bot knows no such chat.
    NoSuchChat,
    /// 400: there is something about this text that Telegram does not take.
    Unsendable,
    /// 500.
    Broken,
    /// 502 with a page of a proxy.
    BadGateway,
    /// The call takes effect, but its answer is lost.
    LostAnswer,
    /// The connection ends before the call takes effect.
    Cut,
    /// The call takes effect; its answer comes when [`crate::TelegramServer::release`] lets it.
    Slow,
    /// The call takes effect; its answer comes when so many seconds have passed.
    Late(i64),
}

impl Fault {
    /// Whether the call takes effect all the same.
    pub(crate) fn applies(&self) -> bool {
        matches!(self, Self::LostAnswer | Self::Slow | Self::Late(_))
    }

    /// The answer of a call that takes no effect.
    pub(crate) fn refusal(&self) -> Answer {
        match self {
            Self::Flood(seconds) | Self::ChatFlood(seconds) => Answer::flood(*seconds),
            Self::Kicked => Answer::error(403, "Forbidden: bot was kicked from the supergroup chat"),
            Self::Unauthorized => Answer::error(401, "Unauthorized"),
            Self::NoSuchChat => Answer::bad("chat not found"),
            Self::Unsendable => Answer::bad("strings must be encoded in UTF-8"),
            Self::Migrated(chat_id) => Answer::migrated(*chat_id),
            Self::BadGateway => Answer::page(502, b"<html><h1>502 Bad Gateway</h1></html>"),
            Self::Broken | Self::LostAnswer | Self::Cut | Self::Slow | Self::Late(_) => {
                Answer::error(500, "Internal Server Error")
            }
        }
    }
}
