//! How much a bot may say, and calls that fail whatever they are.

use serde_json::{Value, json};
use shared::time::SECOND;
use telegram_server::Fault;

use super::super::stage::GROUP;
use super::{Bot, bot};

fn hello(chat_id: i64) -> Value {
    json!({"chat_id": chat_id, "text": "hello"})
}

/// Sends until it is too much; answers how often that went well, and how long the bot is asked to wait.
async fn flood(bot: &Bot, chat_id: i64) -> (usize, i64) {
    for count in 0.. {
        let (status, answer) = bot.call("sendMessage", &hello(chat_id)).await;
        if status == 429 {
            return (count, answer["parameters"]["retry_after"].as_i64().unwrap());
        }
    }
    unreachable!("there is a limit")
}

#[tokio::test]
async fn a_chat_takes_a_short_burst_and_then_one_message_a_second() {
    let bot = bot().await;
    bot.telegram.person(501, "Olga", "").starts("");
    bot.telegram.enforce_limits();

    assert_eq!(flood(&bot, 501).await, (5, 1));
    bot.clock.advance(SECOND - 1);
    assert_eq!(bot.call("sendMessage", &hello(501)).await.0, 429);
    bot.clock.advance(1);
    assert_eq!(flood(&bot, 501).await, (1, 1));
    assert_eq!((bot.telegram.violations(), bot.telegram.calls_in_flood()), (2, 1));
}

#[tokio::test]
async fn a_group_takes_twenty_messages_a_minute_and_other_chats_go_on() {
    let bot = bot().await;
    bot.telegram.person(501, "Olga", "").starts("");
    bot.telegram.enforce_limits();

    for _ in 0..20 {
        bot.done("sendMessage", &hello(GROUP)).await;
        bot.clock.advance(SECOND / 4);
        bot.clock.advance(SECOND - SECOND / 4);
    }
    // Twenty at once and one each three seconds: six came back in the meantime.
    let mut more = 0;
    while bot.call("sendMessage", &hello(GROUP)).await.0 == 200 {
        bot.clock.advance(SECOND);
        more += 1;
    }
    assert!((7..=10).contains(&more), "{more}");
    bot.done("sendMessage", &hello(501)).await;
    bot.clock.advance(3 * SECOND);
    bot.done("sendMessage", &hello(GROUP)).await;
}

#[tokio::test]
async fn thirty_messages_a_second_are_enough_for_everybody_together() {
    let bot = bot().await;
    for id in 1..=10 {
        bot.telegram.person(id, "Somebody", "").starts("");
    }
    bot.telegram.enforce_limits();

    let mut taken = 0;
    for id in 1..=10 {
        taken += flood(&bot, id).await.0;
    }

    assert_eq!(taken, 30);
}

#[tokio::test]
async fn a_flood_in_one_chat_leaves_the_others_alone() {
    let bot = bot().await;
    bot.telegram.person(501, "Olga", "").starts("");
    bot.telegram.fail(&[Fault::ChatFlood(35)]);

    assert_eq!(bot.call("sendMessage", &hello(GROUP)).await.0, 429);
    bot.done("sendMessage", &hello(501)).await;
    bot.clock.advance(35 * SECOND);
    bot.done("sendMessage", &hello(GROUP)).await;
    assert_eq!(bot.telegram.calls_in_flood(), 0);
}

#[tokio::test]
async fn any_call_may_fail_and_some_take_effect_all_the_same() {
    let bot = bot().await;
    bot.telegram.set_forum(GROUP, true);
    let topic = json!({"chat_id": GROUP, "name": "Ada"});
    bot.telegram.fail_calls("createForumTopic", 1, &[Fault::Broken]);
    bot.done("createForumTopic", &topic).await;
    assert_eq!(bot.call("createForumTopic", &topic).await.0, 500);
    assert_eq!(bot.telegram.topics(GROUP).len(), 1);

    bot.telegram.fail_calls("createForumTopic", 0, &[Fault::LostAnswer, Fault::Cut]);
    assert!(bot.try_call("createForumTopic", &topic).await.is_none());
    assert!(bot.try_call("createForumTopic", &topic).await.is_none());
    assert_eq!((bot.telegram.topics(GROUP).len(), bot.telegram.lost_answers()), (2, 1));

    bot.telegram.outage(Some(Fault::BadGateway));
    assert_eq!(bot.try_call("getChat", &topic).await, Some(502));
    assert_eq!(bot.telegram.requests("createForumTopic").len(), 4);
}
