//! Care of the table. What has expired is removed by DynamoDB itself.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::DynamoStore;
use super::batch::Range;
use super::failure::broken;
use super::item::{ENTER, ERASE, Item, Key, UNDONE, read};
use crate::store::{StoreResult, Swept, Upkeep};
use crate::time::Timestamp;

/// What an item of `UNDONE` says is to be done, and the conversation that it is about.
pub(super) fn task(item: &Item) -> StoreResult<(String, String)> {
    let place = Key::of(item)?.sk;
    let (task, conversation_id) = place.split_once('#').ok_or_else(|| broken("a task about nothing"))?;
    Ok((task.to_owned(), conversation_id.to_owned()))
}

impl DynamoStore {
    /// [`crate::store::Records::index`]; also finishes erasures that have lost their function, since it reads all that is undone.
    pub(super) async fn finish_undone(&self, until: Timestamp, least: usize) -> StoreResult<usize> {
        let mut waiting = BTreeMap::new();
        for item in self.all(Range::of(UNDONE)).await? {
            let (task, conversation_id) = task(&item)?;
            match task.as_str() {
                ERASE => self.finish(&conversation_id, &read(item)?, until).await?,
                ENTER => {
                    waiting.insert(conversation_id, read(item)?);
                }
                _ => {}
            }
        }
        self.enter_when_many(waiting, until, least).await
    }
}

#[async_trait]
impl Upkeep for DynamoStore {
    async fn ping(&self) -> StoreResult<()> {
        self.get(&Key::admins(), false).await?;
        Ok(())
    }

    async fn sweep(&self, _: Timestamp) -> StoreResult<Swept> {
        Ok(Swept::default())
    }

    fn name(&self) -> &'static str {
        "dynamodb"
    }
}
