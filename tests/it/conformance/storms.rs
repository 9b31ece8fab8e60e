//! On DynamoDB, on bad days: whatever was answered is stored, exactly once; whatever was not is stored once or not at all.

use std::collections::{BTreeMap, HashSet};

use futures::future::join_all;
use shared::event::{EventKind, Lane};
use shared::id::Secret;
use shared::model::{Message, Sender, Status};
use shared::rate_limit::Rate;
use shared::store::dynamodb::DynamoStore;
use shared::store::{Appended, Connected, ConnectionCaps, LoginCode, Redeemed, Store, StoreError, StoreResult, Taken};
use shared::time::{HOUR, MINUTE, SECOND};

use super::make::{NO_CAPS, START, begin, head, message, note, session, visitor_socket};
use crate::stores::{Home, Storm};

const SEEDS: [u64; 3] = [1, 22, 333];

/// Tells a story to a store in a storm. What it has to clear up it finds out by `home`, where the weather is fair.
async fn in_storms(tell: impl AsyncFn(&dyn Store, &Storm, &Home)) {
    for seed in SEEDS {
        eprintln!("seed {seed}");
        let home = Home::on_dynamodb().await;
        let table = home.table().unwrap();
        let weather = Storm::before(table.server(), seed).await;
        let store = DynamoStore::open(&table.url_at(weather.url())).unwrap();
        tell(&store, &weather, &home).await;
        home.leave().await;
    }
}

/// The answer, if there was one. Trying again later may help, always.
fn answered<T>(answer: StoreResult<T>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(StoreError::Unavailable(_)) => None,
        Err(broken) => panic!("{broken:?}"),
    }
}

/// Asks until there is an answer.
async fn in_the_end<T>(ask: impl AsyncFn() -> StoreResult<T>) -> T {
    loop {
        if let Some(answer) = answered(ask().await) {
            return answer;
        }
    }
}

fn message_of(appended: Appended) -> Message {
    match appended {
        Appended::Stored { message, .. } | Appended::Duplicate(message) => message,
        other => panic!("{other:?}"),
    }
}

async fn everything_said(store: &dyn Store, id: &str) -> BTreeMap<String, Message> {
    let kept = store.messages(id, 0, i64::MAX, false, 100).await.unwrap();
    assert!(kept.iter().map(|one| one.seq).eq(1..=i64::try_from(kept.len()).unwrap()), "dense");
    let by_client_id: BTreeMap<_, _> = kept.iter().map(|one| (one.client_id.clone(), one.clone())).collect();
    assert_eq!(by_client_id.len(), kept.len(), "each once");
    by_client_id
}

#[tokio::test]
async fn every_message_that_was_confirmed_is_kept_once_and_the_rest_once_or_never() {
    in_storms(async |store, storm, home| {
        let fair = home.open().await;
        let id = begin(&*fair, "Ada").await;
        let text = "x".repeat(150);
        let messages: Vec<_> = (0..30).map(|n| message(&id, Sender::Visitor, &text, START.plus(n))).collect();

        let mut confirmed = Vec::new();
        for some in messages.chunks(6) {
            let answers = join_all(some.iter().map(|one| store.append(one, None))).await;
            confirmed.extend(answers.into_iter().filter_map(answered).map(message_of));
        }
        let edited = answered(store.edit(&id, 1, "edited", START.plus(HOUR)).await).is_some();
        storm.calm();

        let kept = everything_said(&*fair, &id).await;
        for one in &confirmed {
            let content = if edited && one.seq == 1 { "edited" } else { &one.content };
            assert_eq!((kept[&one.client_id].seq, kept[&one.client_id].content.as_str()), (one.seq, content));
        }
        for one in &messages {
            let again = message_of(store.append(one, None).await.unwrap());
            assert!(kept.get(&one.client_id).is_none_or(|first| first.seq == again.seq));
        }
        assert_eq!(everything_said(&*fair, &id).await.len(), messages.len());
        let events = fair.due(Lane::Telegram, START.plus(HOUR), 100).await.unwrap();
        let stored = events.iter().filter(|one| one.event.kind == EventKind::MessageStored);
        assert!(stored.map(|one| one.event.seq).eq(1..=30), "one event for each, in order");
    })
    .await;
}

#[tokio::test]
async fn a_code_opens_one_session_at_most() {
    in_storms(async |store, storm, home| {
        let fair = home.open().await;
        let (challenge_hash, code_hash) = ("browser".to_owned(), "right".to_owned());
        let code = LoginCode { challenge_hash, code_hash, created_at: START, expires_at: START.plus(MINUTE) };
        fair.put_code(&code).await.unwrap();
        let racers: Vec<_> = (0..8).map(|n| (session("Oya"), Secret::presented(format!("token {n}")).hash())).collect();

        let redeem = racers.iter().map(|(one, token)| store.redeem_code("browser", "right", 99, one, token));
        let answers = join_all(redeem).await;
        storm.calm();

        let mut live = Vec::new();
        for ((one, token), answer) in racers.iter().zip(answers) {
            let there = fair.session(&one.session_id, START).await.unwrap().is_some();
            assert_eq!(fair.session_by_token(token, START).await.unwrap().is_some(), there);
            if let Some(answer) = answered(answer) {
                assert_eq!(answer == Redeemed::Session, there, "{answer:?}");
            }
            if there {
                let again = store.redeem_code("browser", "right", 99, one, token).await.unwrap();
                assert_eq!(again, Redeemed::Session, "its own answer");
                live.push(one);
            }
        }
        assert!(live.len() <= 1);
    })
    .await;
}

#[tokio::test]
async fn a_transaction_without_an_answer_is_sent_again_as_the_same_one() {
    let home = Home::on_dynamodb().await;
    let table = home.table().unwrap();
    let weather = Storm::of_lost_answers(table.server()).await;
    let store: Box<dyn Store> = Box::new(DynamoStore::open(&table.url_at(weather.url())).unwrap());
    let (challenge_hash, code_hash) = ("browser".to_owned(), "right".to_owned());
    let code = LoginCode { challenge_hash, code_hash, created_at: START, expires_at: START.plus(MINUTE) };
    store.put_code(&code).await.unwrap();
    let (one, token) = (session("Oya"), Secret::presented("token".to_owned()).hash());

    let answer = store.redeem_code("browser", "right", 99, &one, &token).await.unwrap();

    assert_eq!(answer, Redeemed::Session);
    assert!(store.session_by_token(&token, START).await.unwrap().is_some());
    home.leave().await;
}

#[tokio::test]
async fn no_more_tokens_are_taken_than_there_are() {
    in_storms(async |store, storm, _| {
        let rate = Rate { burst: 5, interval_ms: HOUR };

        let takes = join_all((0..20).map(|_| store.take("k", rate, START))).await;
        storm.calm();

        let granted = takes.into_iter().filter_map(answered).filter(|one| *one == Taken::Granted).count();
        assert!(granted <= 5);
        while store.take("k", rate, START).await.unwrap() == Taken::Granted {}
        let next = START.plus(HOUR);
        assert_eq!(store.take("k", rate, next).await.unwrap(), Taken::Granted, "and an hour later one more");
        assert_ne!(store.take("k", rate, next).await.unwrap(), Taken::Granted);
    })
    .await;
}

#[tokio::test]
async fn one_of_many_closes_a_conversation() {
    in_storms(async |store, storm, home| {
        let fair = home.open().await;
        let id = begin(&*fair, "Ada").await;

        let closes = join_all((0..8).map(|_| store.set_status(&id, Status::Closed, START.plus(SECOND)))).await;
        storm.calm();

        let answers: Vec<_> = closes.into_iter().filter_map(answered).flatten().collect();
        let changes = answers.iter().filter(|(_, changed)| *changed).count();
        assert!(changes <= 1);
        assert!(answers.iter().all(|(conversation, _)| conversation.status == Status::Closed));
        let events = fair.due(Lane::Telegram, START.plus(HOUR), 100).await.unwrap();
        let told = events.iter().filter(|one| one.event.kind == EventKind::ConversationClosed).count();
        assert!(told <= 1 && told >= changes, "{events:?}");
    })
    .await;
}

#[tokio::test]
async fn one_of_many_claims_a_conversation() {
    in_storms(async |store, storm, home| {
        let fair = home.open().await;
        let id = begin(&*fair, "Ada").await;
        let names: Vec<_> = (0..12).map(|n| format!("operator {n}")).collect();

        let claims = join_all(names.iter().map(|name| store.claim(&id, name, START))).await;
        storm.calm();

        let holder = head(&*fair, &id, START).await.claim;
        let answers = claims.into_iter().zip(&names).filter_map(|(one, name)| answered(one).map(|one| (one, name)));
        let mut winners = Vec::new();
        for (answer, name) in answers {
            let (seen, changed) = answer.unwrap();
            assert_eq!(seen.claim, holder, "everybody is told the same");
            winners.extend(changed.then_some(name));
        }
        assert!(winners.len() <= 1);
        assert!(winners.iter().all(|name| holder.as_ref().is_some_and(|claim| claim.name == **name)));
        let events = fair.due(Lane::Telegram, START, 100).await.unwrap();
        let told = events.iter().filter(|one| one.event.kind == EventKind::ConversationClaimed).count();
        assert_eq!(told, usize::from(holder.is_some()), "{events:?}");
    })
    .await;
}

#[tokio::test]
async fn every_note_that_was_confirmed_is_kept_once_and_the_rest_once_or_never() {
    in_storms(async |store, storm, home| {
        let fair = home.open().await;
        let id = begin(&*fair, "Ada").await;
        let notes: Vec<_> = (0..12).map(|n| note(&id, &format!("n{n}"), &format!("note {n}"))).collect();

        let mut confirmed = Vec::new();
        for some in notes.chunks(4) {
            let answers = join_all(some.iter().map(|one| store.add_note(one))).await;
            confirmed.extend(answers.into_iter().filter_map(answered).map(|one| one.unwrap().0));
        }
        storm.calm();

        let kept = fair.notes(&id).await.unwrap();
        assert!(kept.iter().map(|one| one.seq).eq(1..=i64::try_from(kept.len()).unwrap()), "dense: {kept:?}");
        assert!(confirmed.iter().all(|one| kept.contains(one)));
        for one in &notes {
            let (again, added) = store.add_note(one).await.unwrap().unwrap();
            assert_eq!(added, !kept.contains(&again));
        }
        assert_eq!(fair.notes(&id).await.unwrap().len(), notes.len());
        let events = fair.due(Lane::Telegram, START, 100).await.unwrap();
        let told = events.iter().filter(|one| one.event.kind == EventKind::NoteAdded).map(|one| one.event.seq);
        assert!(told.eq(1..=12), "one event for each, in order");
    })
    .await;
}

#[tokio::test]
async fn a_chat_that_was_bound_in_a_storm_is_bound_on_both_sides() {
    in_storms(async |store, storm, home| {
        let fair = home.open().await;
        let ids = [begin(&*fair, "Ada").await, begin(&*fair, "Bob").await];

        for number in 0..6 {
            answered(store.bind_chat(7, &ids[number % 2]).await);
        }
        storm.calm();

        let conversation = fair.chat_conversation(7).await.unwrap();
        for id in &ids {
            let named = head(&*fair, id, START).await.visitor_chat_id == Some(7);
            assert_eq!(named, conversation.as_ref() == Some(id));
            fair.delete(id, START).await.unwrap();
        }
        let items = home.table().unwrap().items().await;
        assert!(!items.iter().any(|item| item["pk"]["S"] == "CHAT#7"), "it goes with its conversation");
    })
    .await;
}

#[tokio::test]
async fn sockets_that_came_and_went_leave_no_place_taken() {
    in_storms(async |store, storm, home| {
        let fair = home.open().await;
        let id = begin(&*fair, "Ada").await;
        let caps = ConnectionCaps { side: i64::MAX, ip: 6 };
        let sockets: Vec<_> = (0..6).map(|_| visitor_socket("192.0.2.1")).collect();

        join_all(sockets.iter().map(|one| in_the_end(async || store.connect(one, caps).await))).await;
        let bind = async |one: &str| in_the_end(async || store.bind(one, &id, START).await).await;
        join_all(sockets.iter().map(|one| bind(&one.connection_id))).await;
        let all: HashSet<_> = fair.audience(&id, START).await.unwrap().visitor.into_iter().collect();
        let end = async |one: &str| in_the_end(async || store.disconnect(one, START).await).await;
        join_all(sockets.iter().map(|one| end(&one.connection_id))).await;
        storm.calm();

        assert_eq!(all, sockets.iter().map(|one| one.connection_id.clone()).collect());
        assert!(fair.audience(&id, START).await.unwrap().visitor.is_empty());
        assert!(!fair.conversation(&id, START).await.unwrap().unwrap().online);
        for _ in 0..6 {
            let next = visitor_socket("192.0.2.1");
            assert_eq!(
                store.connect(&next, caps).await.unwrap(),
                Connected::Stored,
                "the address has its places again"
            );
        }
        assert_eq!(store.connect(&visitor_socket("192.0.2.1"), caps).await.unwrap(), Connected::Full);
        assert_eq!(store.connect(&visitor_socket("192.0.2.2"), NO_CAPS).await.unwrap(), Connected::Stored);
    })
    .await;
}
