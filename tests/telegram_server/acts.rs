//! What people do.

use serde_json::{Value, json};
use shared::time::SECOND;

use crate::callbacks::{LIFETIME, Pressed};
use crate::chats::{Membership, Topic};
use crate::icons::COLOURS;
use crate::media::Media;
use crate::people::Person;
use crate::server::locked;
use crate::{markup, webhook};

impl Person {
    /// Writes; answers the message's id.
    pub fn writes(&self, text: &str) -> i64 {
        self.add(words("text", text), None)
    }

    /// Answers a message; answers the new message's id.
    pub fn replies(&self, message_id: i64, text: &str) -> i64 {
        self.add(words("text", text), Some(message_id))
    }

    /// Sends a file or a place; answers the message's id.
    pub fn sends(&self, media: &Media) -> i64 {
        self.send(media, None)
    }

    /// Answers a message with a file or a place; answers the new message's id.
    pub fn replies_with(&self, message_id: i64, media: &Media) -> i64 {
        self.send(media, Some(message_id))
    }

    fn send(&self, media: &Media, reply_to: Option<i64>) -> i64 {
        let content = locked(&self.world).content_of(media);
        self.add(content, reply_to)
    }

    /// Sends several files as one album: one message each, which share a number. Answers the messages' ids.
    pub fn sends_album(&self, album: &[Media]) -> Vec<i64> {
        self.send_album(album, None)
    }

    /// The same in answer to a message.
    pub fn replies_with_album(&self, message_id: i64, album: &[Media]) -> Vec<i64> {
        self.send_album(album, Some(message_id))
    }

    fn send_album(&self, album: &[Media], reply_to: Option<i64>) -> Vec<i64> {
        let group = format!("1378{:010}", locked(&self.world).files.len());
        let add = |media: &Media| {
            let mut content = locked(&self.world).content_of(media);
            content["media_group_id"] = group.clone().into();
            self.add(content, reply_to)
        };
        album.iter().map(add).collect()
    }

    /// Passes on what somebody else wrote elsewhere; answers the message's id.
    pub fn forwards(&self, author: &str, text: &str) -> i64 {
        let date = locked(&self.world).clock.now().0 / SECOND;
        let mut content = words("text", text);
        content["forward_origin"] = json!({"type": "hidden_user", "sender_user_name": author, "date": date});
        self.add(content, None)
    }

    /// Changes a message of their own: its text or, where it has a file, the words under it.
    pub fn edits(&self, message_id: i64, text: &str) {
        let mut world = locked(&self.world);
        let now = world.clock.now();
        let chat = world.chats.get_mut(&self.chat_id).expect("the chat exists");
        let has_text = chat.messages.get(&message_id).is_some_and(|message| message["text"].is_string());
        let content = words(if has_text { "text" } else { "caption" }, text);
        let message = chat.change(message_id, &content, now).expect("the message exists");
        if world.bot_sees(self.chat_id, &message) {
            world.tell("edited_message", self.chat_id, &message);
        }
    }

    /// Puts an emoji on a message in the place of the one that was there; an empty one takes it away.
    pub fn reacts(&self, message_id: i64, emoji: &str) {
        let mut world = locked(&self.world);
        let now = world.clock.now();
        let chat = world.chats.get_mut(&self.chat_id).expect("the chat exists");
        let sees = chat.is_private() || chat.rights().is_some();
        let about = chat.to_json();
        let message = chat.messages.get_mut(&message_id).expect("the message exists");
        let list = |emoji: &str| -> Value {
            if emoji.is_empty() { json!([]) } else { json!([{"type": "emoji", "emoji": emoji}]) }
        };
        let key = self.id().to_string();
        let old = list(message["reactions"][&key].as_str().unwrap_or_default());
        message["reactions"][&key] = emoji.into();
        let mut update = json!({
            "chat": about, "message_id": message_id, "date": now.0 / SECOND, "old_reaction": old,
            "new_reaction": list(emoji),
        });
        let by = if self.is_anonymous { ("actor_chat", about.clone()) } else { ("user", self.user.clone()) };
        update[by.0] = by.1;
        if sees {
            world.tell("message_reaction", self.chat_id + webhook::REACTIONS, &update);
        }
    }

    /// Presses the button with this `callback_data`, or with these words on it; answers the id of the press.
    pub fn presses(&self, message_id: i64, button: &str) -> String {
        let mut world = locked(&self.world);
        let now = world.clock.now();
        let message = world.chats.get(&self.chat_id).and_then(|chat| chat.messages.get(&message_id)).cloned();
        let message = message.expect("the message exists");
        let buttons = markup::buttons(&message);
        let is_meant = |known: &&markup::Button| known.data.as_deref() == Some(button) || known.text == button;
        let data = buttons.iter().find(is_meant).and_then(|found| found.data.clone()).expect("there is such a button");
        let id = format!("{}{:06}", self.id(), world.pressed.len() + 1);
        let update = json!({
            "id": id, "from": self.user, "message": message, "chat_instance": format!("{}", self.chat_id), "data": data,
        });
        world.pressed.insert(id.clone(), Pressed { at: now, answer: None });
        world.tell_for("callback_query", self.id() + webhook::CALLBACKS, &update, LIFETIME);
        id
    }

    /// Presses "Start" in their private chat; a link brings a word along.
    pub fn starts(&self, payload: &str) -> i64 {
        self.unblocks();
        self.add(words("text", format!("/start {payload}").trim()), None)
    }

    /// Blocks the bot.
    pub fn blocks(&self) {
        locked(&self.world).move_bot(self.chat_id, &self.user, Membership::Kicked);
    }

    /// Lets the bot write again.
    pub fn unblocks(&self) {
        let mut world = locked(&self.world);
        if world.chats.get(&self.chat_id).is_some_and(|chat| chat.bot == Membership::Kicked) {
            world.move_bot(self.chat_id, &self.user, Membership::Member);
        }
    }

    /// Opens a topic of their own; answers its id.
    pub fn opens_topic(&self, name: &str) -> i64 {
        let mut world = locked(&self.world);
        let now = world.clock.now();
        let chat = world.chats.get_mut(&self.chat_id).expect("the group exists");
        let topic = Topic {
            name: name.to_owned(),
            icon_color: COLOURS[0],
            icon: None,
            is_closed: false,
            is_lost: false,
            icon_custom_emoji_id: String::new(),
            creator: self.id(),
        };
        let message = chat.open_topic(self.user.clone(), topic, now);
        let thread_id = message["message_id"].as_i64().expect("a number");
        world.tell("message", self.chat_id, &message);
        thread_id
    }

    /// Closes a topic.
    pub fn closes_topic(&self, thread_id: i64) {
        self.changes_topic(thread_id, json!({"forum_topic_closed": {}}), |topic| topic.is_closed = true);
    }

    /// Opens a closed topic again.
    pub fn reopens_topic(&self, thread_id: i64) {
        self.changes_topic(thread_id, json!({"forum_topic_reopened": {}}), |topic| topic.is_closed = false);
    }

    /// Gives a topic another name.
    pub fn renames_topic(&self, thread_id: i64, name: &str) {
        let told = json!({"forum_topic_edited": {"name": name}});
        self.changes_topic(thread_id, told, |topic| name.clone_into(&mut topic.name));
    }

    fn changes_topic(&self, thread_id: i64, told: Value, change: impl FnOnce(&mut Topic)) {
        let mut world = locked(&self.world);
        let now = world.clock.now();
        let chat = world.chats.get_mut(&self.chat_id).expect("the group exists");
        change(chat.topics.get_mut(&thread_id).expect("the topic exists"));
        let message = chat.note(self.from(), thread_id, told, now);
        world.tell("message", self.chat_id, &message);
    }

    /// Deletes a topic, of which no bot hears.
    pub fn deletes_topic(&self, thread_id: i64) {
        let mut world = locked(&self.world);
        world.chats.get_mut(&self.chat_id).expect("the group exists").remove_topic(thread_id);
    }
}

/// A text, or the words under a file; a command is marked as one.
fn words(name: &str, text: &str) -> Value {
    let mut content = json!({name: text});
    if name == "text" && text.starts_with('/') && !text.starts_with("//") {
        let length = text.split_whitespace().next().map_or(0, crate::entities::units);
        content["entities"] = json!([{"type": "bot_command", "offset": 0, "length": length}]);
    }
    content
}
