//! Repetition, overtaking and loss: what is confirmed is there once, in order, and everybody gets to see it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gateway::Faults;
use serde_json::{Value, json};

use crate::people::{RELAXED, Visitor, in_each_house, in_each_house_with, within};

/// What was not answered is sent again after so long, at first.
const PATIENCE: Duration = Duration::from_millis(60);

#[tokio::test]
async fn a_repeated_client_id_answers_with_the_first_message_and_stores_nothing() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        let message = |content: &str| json!({"type": "message", "content": content, "client_id": "same"});
        ada.socket.send(message("first")).await;
        let first = ada.socket.confirmation("same").await;

        for content in ["first", "something else"] {
            ada.socket.send(message(content)).await;
            assert_eq!(ada.socket.confirmation("same").await, first);
        }
        let answered = grace.answer(&ada.id, "answer", "again").await;
        assert_eq!(grace.answer(&ada.id, "another answer", "again").await, answered);
        let body = json!({"conversation_id": ada.id, "content": "by REST", "client_id": "again"});
        assert_eq!(grace.browser.post("/api/admin/send", body).await.good()["message"], answered);

        assert_eq!(house.rows("message").await, 2);
        assert_eq!(ada.whole_history().await, [first, answered]);
    })
    .await;
}

#[tokio::test]
async fn another_conversation_may_use_the_same_client_id() {
    in_each_house(RELAXED, async |house| {
        for name in ["Ada", "Bob"] {
            let mut visitor = house.visitor(name).await;
            visitor.socket.send(json!({"type": "message", "content": name, "client_id": "same"})).await;
            let message = visitor.socket.confirmation("same").await;
            assert_eq!((&message["content"], &message["seq"]), (&json!(name), &json!(1)));
        }
    })
    .await;
}

#[tokio::test]
async fn messages_sent_at_once_are_dense_and_each_is_confirmed_once() {
    in_each_house(RELAXED, async |house| {
        let (mut ada, mut grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        let mut sent = BTreeSet::new();
        for number in 0..64 {
            sent.insert(ada.send(&format!("{number}")).await);
        }
        let mut confirmed = BTreeMap::new();
        for _ in 0..64 {
            let message = ada.socket.expect("message").await;
            let client_id = message["client_id"].as_str().unwrap().to_owned();
            assert_eq!(confirmed.insert(message["seq"].as_i64().unwrap(), client_id), None);
        }

        assert_eq!(confirmed.keys().copied().collect::<Vec<_>>(), (1..=64).collect::<Vec<_>>());
        assert_eq!(confirmed.values().cloned().collect::<BTreeSet<_>>(), sent);
        let frames = ada.socket.rest().await;
        assert!(!frames.iter().any(|frame| frame["type"] == "message"), "{frames:?}");
        for (seq, client_id) in confirmed {
            assert_eq!(grace.socket.confirmation(&client_id).await["seq"], seq);
        }
    })
    .await;
}

/// What a page does with frames (protocol section 2, Recovery).
#[derive(Default)]
struct Page {
    messages: BTreeMap<i64, Value>,
    head: i64,
}

impl Page {
    fn contiguous(&self) -> i64 {
        self.messages.keys().zip(1..).take_while(|(seq, place)| *seq == place).count().try_into().unwrap()
    }

    fn has(&self, client_id: &str) -> bool {
        self.messages.values().any(|message| message["client_id"] == client_id)
    }

    fn keep(&mut self, message: &Value) {
        let seq = message["seq"].as_i64().unwrap();
        let before = self.messages.insert(seq, message.clone());
        assert!(before.is_none_or(|before| before == *message), "one seq, two messages");
    }

    fn take(&mut self, frame: &Value) {
        match frame["type"].as_str().unwrap() {
            "message" => self.keep(frame),
            "history" => frame["messages"].as_array().unwrap().iter().for_each(|message| self.keep(message)),
            _ => {}
        }
        let known = self.messages.keys().last().copied().unwrap_or_default();
        self.head = self.head.max(frame["head_seq"].as_i64().unwrap_or_default()).max(known);
    }
}

/// As pages do: a machine that is slow gets no slower by being asked ever again.
fn longer(patience: Duration) -> Duration {
    (2 * patience).min(Duration::from_secs(2))
}

async fn catch_up(ada: &mut Visitor, page: &mut Page, unconfirmed: &[(String, Value)]) {
    let mut patience = PATIENCE;
    while page.contiguous() < page.head || !unconfirmed.iter().all(|(client_id, _)| page.has(client_id)) {
        for (_, frame) in unconfirmed.iter().filter(|(client_id, _)| !page.has(client_id)) {
            ada.socket.send(frame.clone()).await;
        }
        ada.socket.send(json!({"type": "ping"})).await;
        if page.contiguous() < page.head {
            ada.socket.send(ada.resume_frame(Some(page.contiguous()))).await;
        }
        while let Some(frame) = ada.socket.soon(patience).await {
            page.take(&frame);
        }
        patience = longer(patience);
    }
}

#[tokio::test]
async fn a_client_recovers_from_lost_and_overtaking_frames() {
    let faults = Faults { seed: 7, lose_push: 0.4, delay_messages: Duration::from_millis(25), ..Faults::default() };
    in_each_house_with(&faults, RELAXED, async |house| {
        // What a caller is answered over REST cannot be lost, so the conversation begins there.
        let browser = house.newcomer();
        let joined = browser.post("/api/visitor/join", json!({})).await.good();
        let bearing = browser.bearing(joined["resume_token"].as_str().unwrap());
        let socket = browser.open("/ws/client").await.unwrap();
        let mut ada = Visitor::of(browser, socket, joined);
        let frame = |n: usize| {
            let client_id = format!("c-{n}");
            (client_id.clone(), json!({"type": "message", "content": format!("{n}"), "client_id": client_id}))
        };
        let sent: Vec<_> = (0..30).map(frame).collect();

        let mut page = Page::default();
        within("every message is here", async {
            let mut patience = PATIENCE;
            loop {
                ada.socket.send(ada.resume_frame(Some(0))).await;
                if let Some(frame) = ada.socket.soon(patience).await
                    && frame["type"] == "history"
                {
                    break;
                }
                patience = longer(patience);
            }
            catch_up(&mut ada, &mut page, &sent).await;
        })
        .await;

        let path = format!("/api/visitor/messages?conversation_id={}&since=0", ada.id);
        let stored = bearing.get(&path).await.good()["messages"].as_array().unwrap().clone();
        assert_eq!(stored.len(), 30);
        assert_eq!(page.messages.into_values().collect::<Vec<_>>(), stored);
        let client_ids: BTreeSet<_> = stored.iter().map(|message| message["client_id"].to_string()).collect();
        assert_eq!(client_ids.len(), 30);
    })
    .await;
}

#[tokio::test]
async fn a_lost_disconnect_is_made_good_by_the_next_push() {
    let faults = Faults { drop_disconnect: 1.0, ..Faults::default() };
    in_each_house_with(&faults, RELAXED, async |house| {
        let (ada, mut grace) = (house.visitor("Ada").await, house.admin("Grace").await);
        house.clock.advance(11_000);
        ada.socket.hang_up().await;

        // The row still stands, so the answer goes to a socket that is gone; that is how its absence is noticed.
        grace.answer(&ada.id, "are you there?", "g-1").await;

        assert_eq!(grace.socket.expect("presence").await["online"], false);
        assert_eq!(grace.list().await[0]["online"], false);
    })
    .await;
}
