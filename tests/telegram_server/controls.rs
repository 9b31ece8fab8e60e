//! What a test asks of the server and looks at.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::api::{Request, bot_user};
use crate::callbacks::CallbackAnswer;
use crate::chats::{Draft, Membership, Topic};
use crate::faults::Fault;
use crate::limits::Limits;
use crate::messages::Sent;
use crate::server::{TelegramServer, locked};
use crate::webhook::Hooked;

/// The kinds of updates that Parley asks for.
const KINDS: [&str; 5] = ["message", "edited_message", "callback_query", "message_reaction", "my_chat_member"];

/// What there is to see.
impl TelegramServer {
    /// Everything that the bot put into chats, in order.
    pub fn sent(&self) -> Vec<Sent> {
        locked(&self.world).sent.clone()
    }

    /// Everything that the bot made of its own messages later, in order.
    pub fn edits(&self) -> Vec<Sent> {
        locked(&self.world).edits.clone()
    }

    /// A message as it is now; `None` when it is gone.
    pub fn message(&self, chat_id: i64, message_id: i64) -> Option<Value> {
        locked(&self.world).chats.get(&chat_id)?.messages.get(&message_id).cloned()
    }

    /// The messages of a topic or, without one, of the whole chat, as they are now.
    pub fn messages(&self, chat_id: i64, thread_id: Option<i64>) -> Vec<Value> {
        let world = locked(&self.world);
        let all = world.chats.get(&chat_id).into_iter().flat_map(|chat| chat.messages.values());
        let is_there = |message: &&Value| thread_id.is_none_or(|thread_id| message["message_thread_id"] == thread_id);
        all.filter(is_there).cloned().collect()
    }

    /// The topics of a group, by their ids.
    pub fn topics(&self, chat_id: i64) -> Vec<(i64, Topic)> {
        let world = locked(&self.world);
        let topics = world.chats.get(&chat_id).map(|chat| chat.topics.clone()).unwrap_or_default();
        topics.into_iter().collect()
    }

    /// What Telegram offers a person who types `/` in a chat.
    pub fn commands(&self, chat_id: i64, language: &str) -> Value {
        locked(&self.world).offered(chat_id, language)
    }

    /// What the person who pressed a button was shown.
    pub fn answer_of(&self, callback_query_id: &str) -> Option<CallbackAnswer> {
        locked(&self.world).pressed.get(callback_query_id)?.answer.clone()
    }

    /// How many calls came, whatever became of them.
    pub fn calls(&self) -> usize {
        locked(&self.world).calls
    }

    /// How many connections were opened to it.
    pub fn connections(&self) -> usize {
        locked(&self.world).connections
    }

    /// The calls of a method, whatever became of them, in order.
    pub fn requests(&self, method: &str) -> Vec<Request> {
        let world = locked(&self.world);
        world.requests.iter().filter(|request| request.method == method).cloned().collect()
    }

    /// What the webhook's answers asked for, in order.
    pub fn webhook_replies(&self) -> Vec<Request> {
        locked(&self.world).hook_replies.clone()
    }

    /// How many calls came although the bot was told to wait.
    pub fn calls_in_flood(&self) -> usize {
        locked(&self.world).calls_in_flood
    }

    /// How many calls broke the limits that [`TelegramServer::enforce_limits`] set.
    pub fn violations(&self) -> usize {
        locked(&self.world).limits.as_ref().map_or(0, |limits| limits.violations)
    }

    /// How many calls took effect without their sender's knowing.
    pub fn lost_answers(&self) -> usize {
        locked(&self.world).lost_answers
    }

    /// How many updates Telegram gave up.
    pub fn dropped(&self) -> usize {
        locked(&self.world).dropped
    }

    /// Updates that wait for their delivery.
    pub fn pending(&self) -> usize {
        locked(&self.world).queues.values().map(VecDeque::len).sum()
    }
}

/// What goes wrong.
impl TelegramServer {
    /// The next calls of `sendMessage` fail so, one each.
    pub fn fail(&self, faults: &[Fault]) {
        self.fail_calls("sendMessage", 0, faults);
    }

    /// As [`TelegramServer::fail`], once `count` more calls have gone well.
    pub fn fail_after(&self, count: usize, faults: &[Fault]) {
        self.fail_calls("sendMessage", count, faults);
    }

    /// Once `count` more calls of a method have gone well, the next ones fail so, one each. `file` is the download.
    pub fn fail_calls(&self, method: &str, count: usize, faults: &[Fault]) {
        let well = std::iter::repeat_n(None, count);
        let then = well.chain(faults.iter().cloned().map(Some));
        locked(&self.world).faults.entry(method.to_owned()).or_default().extend(then);
    }

    /// Every call of every method fails so, or none any more.
    pub fn outage(&self, fault: Option<Fault>) {
        locked(&self.world).outage = fault;
    }

    /// From now on a bot that says too much is refused: one message a second in a chat after a burst of five, twenty a
    /// minute in a group, thirty a second in all.
    pub fn enforce_limits(&self) {
        locked(&self.world).limits = Some(Limits::default());
    }

    /// The webhook's next `count` answers are lost, so that their updates come again.
    pub fn lose_webhook_answers(&self, count: usize) {
        locked(&self.world).unheard = count;
    }

    /// The webhook's first `count` answers to each update are lost.
    pub fn lose_each_webhook_answer(&self, count: usize) {
        locked(&self.world).unheard_each = count;
    }

    /// The bot reaches a topic no more, though people still see it.
    pub fn lose_topic(&self, chat_id: i64, thread_id: i64) {
        let mut world = locked(&self.world);
        let topic = world.chats.get_mut(&chat_id).and_then(|chat| chat.topics.get_mut(&thread_id));
        topic.expect("the topic exists").is_lost = true;
    }

    /// Puts an update of any kind into a chat's queue; it gets the next `update_id`.
    pub fn enqueue(&self, chat_id: i64, update: Value) {
        locked(&self.world).enqueue(chat_id, update);
    }

    /// Puts bytes into a chat's queue as they are.
    pub fn enqueue_raw(&self, chat_id: i64, body: &[u8]) {
        locked(&self.world).enqueue_raw(chat_id, body.to_vec());
    }
}

/// How things are.
impl TelegramServer {
    /// The group has topics, or has none any more.
    pub fn set_forum(&self, chat_id: i64, is_forum: bool) {
        locked(&self.world).chats.get_mut(&chat_id).expect("the group exists").is_forum = is_forum;
    }

    /// The bot becomes this in a group; it hears of it.
    pub fn set_bot(&self, chat_id: i64, membership: Membership) {
        let by = json!({"id": 500, "is_bot": false, "first_name": "Owner"});
        locked(&self.world).move_bot(chat_id, &by, membership);
    }

    /// What a person is in a group: `creator`, `administrator`, `member`, `restricted`, `left` or `kicked`.
    pub fn set_status(&self, chat_id: i64, user_id: i64, status: &'static str) {
        let mut world = locked(&self.world);
        world.chats.get_mut(&chat_id).expect("the group exists").members.insert(user_id, status);
    }

    /// Whether a bot that is no administrator sees only what is meant for it; that is how bots begin.
    pub fn set_privacy(&self, privacy: bool) {
        locked(&self.world).privacy = privacy;
    }

    /// Only `https` is taken for a webhook, as by Telegram proper; a Bot API server of one's own takes `http` too.
    pub fn require_https(&self) {
        locked(&self.world).https_only = true;
    }

    /// What `setWebhook` does, with all the kinds of updates that Parley asks for.
    pub fn set_webhook(&self, url: &str, secret: &str) {
        let kinds = KINDS.map(ToOwned::to_owned).to_vec();
        locked(&self.world).hooked = Hooked::new(url, secret, Some(kinds));
    }

    /// A group becomes a supergroup with another id: the old one refuses every call from then on, and all its messages and
    /// topics are gone. The bot hears of it on both sides.
    pub fn migrate(&self, old: i64, new: i64) {
        let mut world = locked(&self.world);
        let now = world.clock.now();
        let chat = world.chats.get_mut(&old).expect("the group exists");
        let mut successor = chat.successor(new);
        let draft = |content: Value| Draft { from: bot_user(), content, ..Draft::default() };
        let leaves = chat.add(draft(json!({"migrate_to_chat_id": new})), now);
        chat.migrated_to = Some(new);
        let arrives = successor.add(draft(json!({"migrate_from_chat_id": old})), now);
        world.chats.insert(new, successor);
        world.tell("message", old, &leaves);
        world.tell("message", new, &arrives);
    }

    /// What the bot is in a chat.
    pub fn membership(&self, chat_id: i64) -> Membership {
        locked(&self.world).chats.get(&chat_id).expect("the chat exists").bot
    }
}
