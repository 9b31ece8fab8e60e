//! Who may do what where: `getChat`, `getChatMember` and the refusals of every method that needs a chat.

use serde_json::{Value, json};

use crate::api::{Answer, Outcome, bot_user, whole};
use crate::chats::{Chat, Membership};
use crate::{BOT_ID, World};

impl World {
    /// The chat that a call is about, if the bot may be in it.
    pub(crate) fn chat(&mut self, parameters: &Value) -> Result<&mut Chat, Answer> {
        if parameters["chat_id"].is_null() || parameters["chat_id"] == "" {
            return Err(Answer::bad("chat_id is empty"));
        }
        let chat_id = whole(parameters, "chat_id");
        let chat = chat_id.and_then(|id| self.chats.get_mut(&id)).ok_or_else(|| Answer::bad("chat not found"))?;
        if let Some(new) = chat.migrated_to {
            return Err(Answer::migrated(new));
        }
        let kind = chat.kind();
        let group = if kind == "group" { "group chat" } else { "supergroup chat" };
        let forbidden = match (chat.bot, kind) {
            (Membership::Administrator(_) | Membership::Member, _) => return Ok(chat),
            (Membership::Left, "private") => "bot can't initiate conversation with a user".to_owned(),
            (Membership::Kicked, "private") => "bot was blocked by the user".to_owned(),
            (Membership::Left, _) => format!("bot is not a member of the {group}"),
            (Membership::Kicked, _) => format!("bot was kicked from the {group}"),
        };
        Err(Answer::error(403, &format!("Forbidden: {forbidden}")))
    }

    pub(crate) fn get_chat(&mut self, parameters: &Value) -> Outcome {
        let mut chat = self.chat(parameters)?.to_json();
        chat["accent_color_id"] = 3.into();
        chat["max_reaction_count"] = 11.into();
        Ok(chat)
    }

    pub(crate) fn get_chat_member(&mut self, parameters: &Value) -> Outcome {
        let user_id = whole(parameters, "user_id").ok_or_else(|| Answer::bad("invalid user_id specified"))?;
        let user = if user_id == BOT_ID { Some(bot_user()) } else { self.users.get(&user_id).cloned() };
        let chat = self.chat(parameters)?;
        let user = user.ok_or_else(|| Answer::bad("user not found"))?;
        if user_id == BOT_ID {
            return Ok(of_bot(&user, chat.bot));
        }
        let status = chat.members.get(&user_id).copied().unwrap_or("left");
        Ok(json!({"user": user, "status": status}))
    }
}

/// The bot as a member.
pub(crate) fn of_bot(user: &Value, membership: Membership) -> Value {
    match membership {
        Membership::Administrator(rights) => json!({
            "user": user, "status": "administrator", "can_be_edited": false, "is_anonymous": false,
            "can_manage_chat": true, "can_manage_topics": rights.manage_topics,
            "can_delete_messages": rights.delete_messages, "can_restrict_members": false, "can_promote_members": false,
            "can_change_info": false, "can_invite_users": true, "can_pin_messages": false, "can_manage_video_chats": false,
        }),
        Membership::Member => json!({"user": user, "status": "member"}),
        Membership::Left => json!({"user": user, "status": "left"}),
        Membership::Kicked => json!({"user": user, "status": "kicked", "until_date": 0}),
    }
}
