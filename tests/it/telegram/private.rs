//! A visitor who goes on in a private chat with the bot: what comes there, and when it does not.

use shared::chat;
use shared::time::{MINUTE, SECOND};
use telegram_server::Fault;

use super::bench::{Bench, for_each_bench};
use super::stage::START;

const ADA: i64 = 7_001;

/// Ada has written, was answered and has gone on in Telegram.
async fn gone_on(bench: &Bench) -> (String, telegram_server::Person) {
    let person = bench.telegram.person(ADA, "Ada", "");
    person.starts("");
    let ada = bench.join("Ada").await;
    bench.say(&ada, "hello").await;
    bench.answer(&ada, "good day").await;
    bench.drain_all().await;
    assert!(bench.app.store.bind_chat(ADA, &ada).await.unwrap());
    (ada, person)
}

/// What came into the private chat.
fn told(bench: &Bench) -> Vec<String> {
    bench.telegram.sent().into_iter().filter(|sent| sent.chat_id == ADA).map(|sent| sent.text).collect()
}

#[tokio::test]
async fn the_history_comes_first_and_then_what_the_team_answers() {
    for_each_bench(|bench| async move {
        let (ada, _) = gone_on(&bench).await;
        bench.clock.advance(MINUTE);
        bench.say(&ada, "still there?").await;
        bench.drain_all().await;
        assert_eq!(told(&bench), ["Ada: hello\n↩ Ben: good day\nAda: still there?"]);

        bench.clock.advance(MINUTE);
        bench.answer(&ada, "yes").await;
        bench.say(&ada, "fine").await;
        bench.drain_all().await;
        assert_eq!(told(&bench)[1..], ["↩ Ben: yes"], "what the visitor wrote is not brought back");

        chat::edit(&bench.app, &ada, 4, "yes!").await.unwrap();
        chat::close(&bench.app, &ada).await.unwrap();
        bench.clock.advance(MINUTE);
        bench.drain_all().await;
        assert_eq!(told(&bench)[2..], ["This conversation has been closed."]);
        assert_eq!(bench.telegram.edits().iter().find(|edit| edit.chat_id == ADA).unwrap().text, "↩ Ben: yes!");
    })
    .await;
}

#[tokio::test]
async fn a_group_that_is_paused_holds_up_no_private_chat_and_the_other_way_round() {
    for_each_bench(|bench| async move {
        let (ada, _) = gone_on(&bench).await;
        bench.clock.advance(MINUTE);
        bench.telegram.fail(&[Fault::ChatFlood(50)]);
        bench.answer(&ada, "one").await;
        bench.drain().await;
        bench.clock.advance(SECOND);
        bench.drain().await;
        assert_eq!(told(&bench).len(), 1, "{:?}", told(&bench));
        assert!(told(&bench)[0].ends_with("↩ Ben: good day\none"), "{:?}", told(&bench));
        let in_group = |bench: &Bench| bench.telegram.sent().iter().filter(|sent| sent.text == "↩ Ben: one").count();
        assert_eq!(in_group(&bench), 0);
        bench.drain_all().await;
        assert_eq!((in_group(&bench), told(&bench).len(), bench.telegram.calls_in_flood()), (1, 1, 0));

        bench.clock.advance(10 * MINUTE);
        bench.telegram.fail_after(1, &[Fault::ChatFlood(40)]);
        bench.answer(&ada, "two").await;
        bench.drain().await;
        let sent = bench.telegram.sent();
        assert_eq!((sent.last().unwrap().text.as_str(), told(&bench).len()), ("↩ Ben: two", 1), "in the group alone");
        bench.drain_all().await;
        assert_eq!(told(&bench)[1..], ["↩ Ben: two"]);
        assert_eq!(bench.telegram.sent().iter().filter(|sent| sent.text == "↩ Ben: two").count(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_visitor_who_blocks_the_bot_is_on_the_page_again() {
    for_each_bench(|bench| async move {
        let (ada, person) = gone_on(&bench).await;
        person.blocks();
        bench.clock.advance(MINUTE);
        bench.answer(&ada, "are you there?").await;
        bench.drain_all().await;

        assert_eq!(told(&bench), [""; 0]);
        let conversation = bench.app.store.conversation(&ada, START).await.unwrap().unwrap();
        assert_eq!(conversation.visitor_chat_id, None);
        assert_eq!(bench.alert().await, None, "it is nobody's trouble");
        assert_eq!(bench.telegram.sent().last().unwrap().text, "↩ Ben: are you there?");
    })
    .await;
}
