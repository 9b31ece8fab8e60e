//! On DynamoDB, what is read does not depend on how much there is: read units where there is little and where there is much.

use shared::model::Sender;
use shared::search::terms;
use shared::store::dynamodb::DynamoStore;
use shared::store::{ConversationFilter, Conversations, Messages, Place, Records};
use shared::time::{HOUR, MINUTE, SECOND, Timestamp};

use super::make::{START, begin, first, race, say};
use crate::figures::tell;
use crate::stores::Home;

/// The limit of what reading may cost where there is much, in what it costs where there is little.
const FLAT: f64 = 1.2;
/// A page of what is read.
const PAGE: i64 = 10;

/// A store that has been filled, and a conversation in it.
struct Filled {
    home: Home,
    conversation_id: String,
    end: Timestamp,
}

/// Conversations of so many messages each, one a minute, all with the word `parcel`, a page of the oldest ones with `xylophone`.
async fn fill(conversations: usize, messages: i64, index: bool) -> Filled {
    let home = Home::on_dynamodb().await;
    let store = DynamoStore::open(&home.url).unwrap();
    let ids = race((0..conversations).map(|_| begin(&store, "Ada"))).await;
    for number in 0..messages {
        let at = START.plus(number * SECOND);
        race(ids.iter().zip(0..).map(|(id, place): (_, i64)| {
            let rare = if number < PAGE && *id == ids[0] { " xylophone" } else { "" };
            write(&store, id, format!("parcel {number:080}{rare}"), at.plus(place * MINUTE))
        }))
        .await;
    }
    while index && store.index(START.plus(24 * HOUR), 1).await.unwrap() > 0 {}
    Filled { home, conversation_id: ids[0].clone(), end: START.plus(24 * HOUR) }
}

async fn write(store: &DynamoStore, id: &str, content: String, at: Timestamp) {
    say(store, id, Sender::Visitor, &content, at).await;
}

impl Filled {
    /// The read units of something that finds `count` things, on an instance that knows nothing yet.
    async fn cost(&self, count: usize, read: impl AsyncFn(&DynamoStore) -> usize) -> f64 {
        let fresh = DynamoStore::open(&self.home.url).unwrap();
        assert_eq!(read(&fresh).await, count);
        fresh.consumed().read
    }

    async fn resume(&self) -> f64 {
        let place = Place { after: 0, before: i64::MAX, newest: true };
        self.cost(50, async |store| {
            store.history(&self.conversation_id, place, 50, self.end).await.unwrap().unwrap().1.len()
        })
        .await
    }

    async fn list(&self) -> f64 {
        let filter = ConversationFilter::default();
        self.cost(10, async |store| store.conversations(&filter, &first(PAGE), self.end).await.unwrap().items.len())
            .await
    }

    async fn search(&self, word: &str) -> f64 {
        self.cost(10, async |store| store.search(&terms(word), &first(PAGE)).await.unwrap().items.len()).await
    }
}

#[tokio::test]
async fn what_is_read_does_not_grow_with_what_there_is() {
    let (few, many) = (fill(1, 50, false).await, fill(1, 300, false).await);
    tell("resume: read units, much to little", many.resume().await / few.resume().await, FLAT, 1.0);
    few.home.leave().await;
    many.home.leave().await;

    let (few, many) = (fill(10, 1, false).await, fill(200, 1, false).await);
    tell("list: read units, much to little", many.list().await / few.list().await, FLAT, 1.0);
    few.home.leave().await;
    many.home.leave().await;

    let (few, many) = (fill(2, 10, true).await, fill(40, 10, true).await);
    for word in ["parcel", "xylophone"] {
        let which = if word == "parcel" { "frequent" } else { "rare" };
        let ratio = many.search(word).await / few.search(word).await;
        tell(&format!("search-{which}: read units, much to little"), ratio, FLAT, 1.0);
    }
    few.home.leave().await;
    many.home.leave().await;
}
