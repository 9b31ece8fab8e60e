//! On DynamoDB, what is read does not depend on how much there is: read units where there is little and where there is much.

use shared::model::Sender;
use shared::search::terms;
use shared::store::dynamodb::DynamoStore;
use shared::store::{ConversationFilter, Conversations, Messages, Place, Records};
use shared::time::{DAY, HOUR, MINUTE, SECOND, Timestamp};

use super::make::{START, begin, first, index, race, say};
use super::multiply::multiplied;
use crate::figures::tell;
use crate::stores::Home;

/// The limit of what reading may cost where there is much, in what it costs where there is little.
const FLAT: f64 = 1.2;
/// A page of what is read.
const PAGE: i64 = 10;

/// A store that has been filled, and a conversation in it.
struct Filled {
    home: Home,
    ids: Vec<String>,
    end: Timestamp,
}

/// 87 bytes, with a word that all have.
fn numbered(number: i64) -> String {
    format!("parcel {number:080}")
}

/// 105 bytes, with that word and others that nobody else has said.
fn unheard_of(_: i64) -> String {
    let word = || uuid::Uuid::new_v4().simple();
    format!("parcel {} {} {}", word(), word(), word())
}

/// Conversations of so many messages each, one a second; the conversations are a minute apart.
async fn fill(conversations: usize, messages: i64, text: fn(i64) -> String) -> Filled {
    let home = Home::on_dynamodb().await;
    let store = DynamoStore::open(&home.url).unwrap();
    let ids = race((0..conversations).map(|_| begin(&store, "Ada"))).await;
    for number in 0..messages {
        let at = START.plus(number * SECOND);
        race(ids.iter().zip(0..).map(|(id, place): (_, i64)| write(&store, id, text(number), at.plus(place * MINUTE))))
            .await;
    }
    Filled { home, ids, end: START.plus(24 * HOUR) }
}

async fn write(store: &DynamoStore, id: &str, content: String, at: Timestamp) {
    say(store, id, Sender::Visitor, &content, at).await;
}

/// So many copies of what there is, and a page of older messages with words that no other has.
async fn searched(seed: &Filled, times: i64) -> Filled {
    let home = multiplied(&seed.home, &seed.ids, times).await;
    let store = DynamoStore::open(&home.url).unwrap();
    let id = begin(&store, "Ada").await;
    for number in 0..PAGE {
        write(&store, &id, "xylophone".into(), START.plus(number * SECOND - 20 * DAY)).await;
    }
    index(&store).await;
    Filled { home, ids: vec![id], end: seed.end }
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
        self.cost(50, async |store| store.history(&self.ids[0], place, 50, self.end).await.unwrap().unwrap().1.len())
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
    let (few, many) = (fill(1, 50, numbered).await, fill(1, 300, numbered).await);
    tell("resume: read units, much to little", many.resume().await / few.resume().await, FLAT, 1.0);
    few.home.leave().await;
    many.home.leave().await;

    let (few, many) = (fill(10, 1, numbered).await, fill(200, 1, numbered).await);
    tell("list: read units, much to little", many.list().await / few.list().await, FLAT, 1.0);
    few.home.leave().await;
    many.home.leave().await;
}

#[tokio::test]
async fn a_search_reads_no_more_of_4000_messages_than_of_1000() {
    let seed = fill(25, 10, unheard_of).await;
    index(&DynamoStore::open(&seed.home.url).unwrap()).await;
    let (few, many) = (searched(&seed, 4).await, searched(&seed, 16).await);

    for (which, word) in [("frequent", "parcel"), ("rare", "xylophone")] {
        let (little, much) = (few.search(word).await, many.search(word).await);
        eprintln!("search-{which}: {little} read units where there is little, {much} where there is much");
        tell(&format!("search-{which}: read units, much to little"), much / little, FLAT, 1.0);
    }
    for filled in [few, many, seed] {
        filled.home.leave().await;
    }
}
