//! Settings that are made while Parley runs: a partition of their own.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::batch::Range;
use super::item::{Key, read, short, text};
use super::table::Terms;
use crate::store::{Settings, StoreResult};

/// The partition.
const SETTINGS: &str = "SETTINGS";

#[derive(Serialize, Deserialize)]
struct Setting {
    value: String,
}

fn key(name: &str) -> Key {
    Key::new(SETTINGS, short(name))
}

#[async_trait]
impl Settings for DynamoStore {
    async fn setting(&self, name: &str) -> StoreResult<Option<String>> {
        let item = self.get(&key(name), true).await?.map(read::<Setting>).transpose()?;
        Ok(item.map(|setting| setting.value))
    }

    async fn set_setting(&self, name: &str, value: Option<&str>) -> StoreResult<()> {
        let key = key(name);
        match value {
            Some(value) => self.put(key.item(&Setting { value: text(value) })?, Terms::default()).await.map(|_| ()),
            None => self.remove(&key, Terms::default()).await.map(|_| ()),
        }
    }

    async fn settings(&self, prefix: &str) -> StoreResult<Vec<(String, String)>> {
        let all = Range::of(SETTINGS).consistent();
        // A key's condition takes no empty text.
        let range = if prefix.is_empty() { all } else { all.beginning(short(prefix)) };
        let items = self.all(range).await?.into_iter();
        items.map(|item| Ok((Key::of(&item)?.sk, read::<Setting>(item)?.value))).collect()
    }
}
