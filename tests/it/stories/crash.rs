//! The program itself: killed in the middle of a burst, told to stop, watched for what it writes.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::people::{Admin, Process, SALT, Visitor, eventually, run_program};
use crate::stores::Home;

const VISITORS: usize = 3;
const BURST: usize = 40;

/// What a visitor sent, and what of it was confirmed with which `seq`.
struct Sent {
    visitor: Visitor,
    frames: Vec<(String, Value)>,
    confirmed: BTreeMap<String, i64>,
}

fn message(round: usize, number: usize) -> (String, Value) {
    let client_id = format!("r{round}-{number}");
    let frame = json!({"type": "message", "content": format!("{round}/{number}"), "client_id": client_id});
    (client_id, frame)
}

fn note(confirmed: &mut BTreeMap<String, i64>, frames: &[Value]) {
    for frame in frames.iter().filter(|frame| frame["type"] == "message") {
        let (client_id, seq) = (frame["client_id"].as_str().unwrap(), frame["seq"].as_i64().unwrap());
        assert_eq!(*confirmed.entry(client_id.to_owned()).or_insert(seq), seq, "{client_id} has two places");
    }
}

/// Every confirmed message is there once, at the place it was confirmed with, and no place is empty.
fn check(history: &[Value], sent: &Sent) {
    let seqs: Vec<_> = history.iter().map(|message| message["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..).take(history.len()).collect::<Vec<_>>(), "dense, in order");
    let places: BTreeMap<_, _> = history
        .iter()
        .map(|message| (message["client_id"].as_str().unwrap(), message["seq"].as_i64().unwrap()))
        .collect();
    assert_eq!(places.len(), history.len(), "no client_id twice");
    for (client_id, seq) in &sent.confirmed {
        assert_eq!(places.get(client_id.as_str()), Some(seq), "{client_id} was confirmed");
    }
    let known: BTreeSet<_> = sent.frames.iter().map(|(client_id, _)| client_id.as_str()).collect();
    assert!(places.keys().all(|client_id| known.contains(client_id)));
}

/// Opens a socket to the new process, checks what is there, and sends again what was never confirmed.
async fn come_back(process: &Process, mut sent: Sent) -> Sent {
    sent.visitor.browser = process.newcomer();
    let (socket, _) = sent.visitor.another_tab(None).await;
    sent.visitor.socket = socket;
    check(&sent.visitor.whole_history().await, &sent);
    let unconfirmed: Vec<_> =
        sent.frames.iter().filter(|(client_id, _)| !sent.confirmed.contains_key(client_id)).cloned().collect();
    for (_, frame) in &unconfirmed {
        sent.visitor.socket.send(frame.clone()).await;
    }
    for (client_id, _) in unconfirmed {
        let message = sent.visitor.socket.confirmation(&client_id).await;
        sent.confirmed.insert(client_id, message["seq"].as_i64().unwrap());
    }
    let history = sent.visitor.whole_history().await;
    assert_eq!(history.len(), sent.frames.len());
    check(&history, &sent);
    sent
}

#[tokio::test]
async fn what_was_confirmed_outlives_kill_9_in_the_middle_of_a_burst() {
    for home in Home::on_sql().await {
        let mut process = Process::start(&home, &[]).await;
        let mut all = Vec::new();
        for number in 0..VISITORS {
            let visitor = process.visitor(&format!("Visitor {number}")).await;
            all.push(Sent { visitor, frames: Vec::new(), confirmed: BTreeMap::new() });
        }

        for round in 0..3 {
            for sent in &mut all {
                for number in 0..BURST {
                    let (client_id, frame) = message(round, number);
                    sent.visitor.socket.send(frame.clone()).await;
                    sent.frames.push((client_id, frame));
                }
            }
            // Another moment in each round: after the first few confirmations, in the middle, near the end.
            for _ in 0..(5 + 12 * round) {
                let frame = all[0].visitor.socket.expect("message").await;
                note(&mut all[0].confirmed, &[frame]);
            }
            process.kill().await;
            process = Process::start(&home, &[]).await;
            let mut back = Vec::new();
            for mut sent in all {
                note(&mut sent.confirmed, &sent.visitor.socket.drain().await);
                back.push(come_back(&process, sent).await);
            }
            all = back;
        }

        assert_eq!(process.terminate().await.0, Some(0));
        home.leave().await;
    }
}

#[tokio::test]
async fn sigterm_closes_the_sockets_with_1001_and_exits_with_0() {
    for home in Home::on_sql().await {
        let process = Process::start(&home, &[]).await;
        let mut ada = process.visitor("Ada").await;
        let (mut grace, _) = process.admin("Grace").await;
        let said = ada.say("hello").await;
        grace.socket.confirmation(said["client_id"].as_str().unwrap()).await;

        let ending = tokio::spawn(process.terminate());
        let codes = (ada.socket.closed_with().await, grace.socket.closed_with().await);
        drop((ada.socket, grace.socket));
        let (code, log) = ending.await.unwrap();

        assert_eq!((codes, code), ((Some(1001), Some(1001)), Some(0)), "{log}");
        home.leave().await;
    }
}

#[tokio::test]
async fn after_kill_9_the_panel_goes_on_with_its_session_and_nobody_counts_as_there() {
    for home in Home::on_sql().await {
        let process = Process::start(&home, &[]).await;
        let mut ada = process.visitor("Ada").await;
        let (grace, _) = process.admin("Grace").await;
        let said = ada.say("hello").await;
        process.kill().await;

        let process = Process::start(&home, &[]).await;
        let browser = process.newcomer().bearing(&grace.token);
        let socket = Admin::socket(&browser).await.unwrap();
        let mut grace = Admin { browser, token: grace.token, socket };
        let [item] = grace.list().await.try_into().unwrap();
        assert_eq!((&item["online"], &item["unread"]), (&json!(false), &json!(1)));
        ada.browser = process.newcomer();
        let (mut tab, history) = ada.another_tab(Some(0)).await;
        assert_eq!((&history["messages"], &history["admins_online"]), (&json!([said]), &json!(1)));
        assert_eq!(grace.socket.expect("presence").await["online"], true);
        let answered = grace.answer(&ada.id, "we are back", "g-1").await;
        assert_eq!(tab.confirmation("g-1").await, answered);

        drop((tab, ada, grace));
        assert_eq!(process.terminate().await.0, Some(0));
        home.leave().await;
    }
}

#[tokio::test]
async fn sigusr1_puts_a_whole_copy_beside_the_database_while_people_write() {
    let (home, elsewhere) = (Home::in_a_file(), Home::in_a_file());
    let process = Process::start(&home, &[]).await;
    let mut ada = process.visitor("Ada").await;
    let said = ada.say("before").await;

    for copies in 1..=2 {
        process.signal("-USR1").await;
        ada.say("meanwhile").await;
        // Two signals at once would be one.
        let made = async || (process.log().matches("backed up").count() == copies).then_some(());
        eventually("a copy", made).await;
    }
    let copy = home.file().unwrap().with_added_extension("backup");
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::create_dir_all(elsewhere.file().unwrap().parent().unwrap()).unwrap();
    std::fs::copy(&copy, elsewhere.file().unwrap()).unwrap();
    assert_eq!(process.terminate().await.0, Some(0));

    let restored = Process::start(&elsewhere, &[]).await;
    ada.browser = restored.newcomer();
    let (socket, _) = ada.another_tab(None).await;
    ada.socket = socket;
    assert_eq!(ada.whole_history().await[0], said);
    ada.say("after").await;
    assert_eq!(restored.terminate().await.0, Some(0));
    home.leave().await;
    elsewhere.leave().await;
}

#[tokio::test]
async fn a_second_gateway_does_not_touch_a_database_that_is_taken() {
    let home = Home::in_a_file();
    let process = Process::start(&home, &[]).await;

    let settings = [("DATABASE_URL", home.url.reveal()), ("LISTEN_ADDR", "127.0.0.1:0"), ("OTP_HASH_SALT", SALT)];
    let (code, told) = run_program(&[], &settings).await;

    assert_eq!(code, 1);
    assert!(told.contains("another program has the database's file"), "{told}");
    process.visitor("Ada").await.say("hello").await;
    assert_eq!(process.terminate().await.0, Some(0));
    home.leave().await;
}
