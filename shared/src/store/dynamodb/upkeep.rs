//! Care of the table. What has expired is removed by DynamoDB itself.

use async_trait::async_trait;

use super::DynamoStore;
use super::item::Key;
use crate::store::{StoreResult, Swept, Upkeep};
use crate::time::Timestamp;

#[async_trait]
impl Upkeep for DynamoStore {
    async fn ping(&self) -> StoreResult<()> {
        self.get(&Key::admins(), false).await?;
        Ok(())
    }

    async fn sweep(&self, now: Timestamp) -> StoreResult<Swept> {
        self.finish_erasures(now).await?;
        Ok(Swept::default())
    }

    fn name(&self) -> &'static str {
        "dynamodb"
    }
}
