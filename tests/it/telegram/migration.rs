//! The group becomes a supergroup: it has another id, and everything in the old one is void.

use shared::telegram::chat::{chat_id, follow_migration};
use shared::time::MINUTE;

use super::bench::for_each_bench;
use super::stage::{FOREIGN_GROUP, GROUP};

const SUPERGROUP: i64 = -1_005_555_555_555;

#[tokio::test]
async fn the_mirror_goes_on_in_the_new_group_with_what_was_said_before() {
    for is_forum in [false, true] {
        for_each_bench(|bench| async move {
            bench.telegram.set_forum(GROUP, is_forum);
            let ada = bench.join("Ada").await;
            bench.say(&ada, "one").await;
            bench.drain_all().await;
            bench.telegram.migrate(GROUP, SUPERGROUP);
            bench.clock.advance(MINUTE);
            bench.say(&ada, "two").await;
            bench.drain_all().await;

            let sent = bench.telegram.sent();
            let there: Vec<_> = sent.iter().filter(|sent| sent.chat_id == SUPERGROUP).collect();
            assert!(there[0].text.starts_with("Ada has come to the chat."));
            assert_eq!(there[1].text, "What was said before:\nAda: one");
            assert_eq!((there[2].text.as_str(), there.len()), ("Ada: two", 3));
            assert_eq!(there[2].thread_id.is_some(), is_forum);
            assert_eq!(chat_id(&bench.app).await.unwrap(), Some(SUPERGROUP));
            assert_eq!(bench.alert().await, None, "nobody has to do anything");

            bench.say(&ada, "three").await;
            bench.drain_all().await;
            assert_eq!(bench.arrived("Ada"), ["one", "two", "three"]);
        })
        .await;
    }
}

#[tokio::test]
async fn a_login_code_follows_the_group() {
    for_each_bench(|bench| async move {
        bench.telegram.migrate(GROUP, SUPERGROUP);
        bench.app.announce("telegram.login_failures", &[]).await;

        let sent = bench.telegram.sent();
        assert_eq!((sent.len(), sent[0].chat_id), (1, SUPERGROUP));
    })
    .await;
}

#[tokio::test]
async fn only_the_operators_own_chat_is_followed() {
    for_each_bench(|bench| async move {
        follow_migration(&bench.app, FOREIGN_GROUP, SUPERGROUP).await.unwrap();
        assert_eq!(chat_id(&bench.app).await.unwrap(), Some(GROUP));

        for (old, new) in [(GROUP, SUPERGROUP), (SUPERGROUP, FOREIGN_GROUP)] {
            follow_migration(&bench.app, old, new).await.unwrap();
            assert_eq!(chat_id(&bench.app).await.unwrap(), Some(new));
        }
    })
    .await;
}
