//! What ties Telegram's ids to ours.

use shared::store::{Sight, TelegramLink};
use shared::time::HOUR;

use super::make::{START, begin, race};
use crate::stores::for_each_store;

#[tokio::test]
async fn links_lead_from_telegram_to_a_conversation_and_back() {
    for_each_store(|store| async move {
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        let link =
            |message_id, chat_id, id: &str, seq| TelegramLink { chat_id, message_id, conversation_id: id.into(), seq };
        let links = [link(1, -100, &ada, 0), link(2, -100, &ada, 1), link(3, -100, &bob, 0), link(2, 7, &ada, 1)];
        for one in &links {
            store.link(one).await.unwrap();
        }
        store.link(&link(2, -100, &bob, 9)).await.unwrap();

        assert_eq!(store.linked(-100, 2).await.unwrap(), Some(links[1].clone()), "the first stands");
        assert_eq!(store.linked(-100, 4).await.unwrap(), None);
        assert_eq!(store.links_of(&ada, -100, 9).await.unwrap(), [links[1].clone(), links[0].clone()]);
        assert_eq!(store.links_of(&ada, -100, 1).await.unwrap(), [links[1].clone()]);
        assert_eq!(store.links_of("nobody", -100, 9).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_conversation_that_is_gone_gets_no_link() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        store.delete(&id, START).await.unwrap();

        store.link(&TelegramLink { chat_id: 1, message_id: 1, conversation_id: id, seq: 0 }).await.unwrap();

        assert_eq!(store.linked(1, 1).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn an_update_is_seen_first_once_until_its_sight_ends() {
    for_each_store(|store| async move {
        let end = START.plus(HOUR);

        assert!(store.sight(7, START).await.unwrap().is_none());
        let sight = Sight { answer: Some("{\"ok\":true}".into()), aside: Some("{\"update_id\":7}".into()) };
        let sights = race((0..100).map(|_| store.first_sight(7, &sight, START, end))).await;

        assert_eq!(sights.into_iter().filter(|one| *one.as_ref().unwrap()).count(), 1);
        assert!(store.first_sight(8, &Sight::default(), START, end).await.unwrap());
        assert_eq!(store.sight(8, START).await.unwrap(), Some(Sight::default()));
        assert!(!store.first_sight(7, &Sight::default(), end.plus(-1), end.plus(HOUR)).await.unwrap());
        assert_eq!(store.sight(7, end.plus(-1)).await.unwrap(), Some(sight.clone()));
        assert!(store.sight(7, end).await.unwrap().is_none());
        assert!(store.sight(9, START).await.unwrap().is_none());
        assert!(store.first_sight(7, &Sight::default(), end, end.plus(HOUR)).await.unwrap());
    })
    .await;
}
