//! Calls of many items: queries page by page, batches until nothing is left over.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemInput;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemInput;
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::types::{
    AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, ReturnConsumedCapacity, WriteRequest,
};

use super::DynamoStore;
use super::failure::broken;
use super::item::{Item, Key, s};
use crate::store::StoreResult;

/// The most keys of one `BatchGetItem`.
const GET: usize = 100;
/// The most writes of one `BatchWriteItem`.
const WRITE: usize = 25;
/// A batch with all its tries, in milliseconds.
const BATCH: u64 = 3_000;

/// What to read of a partition, of the table or of the index `list`.
#[derive(Clone, Debug)]
pub(super) struct Range {
    index: Option<&'static str>,
    condition: String,
    filter: Option<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    backwards: bool,
    consistent: bool,
    /// At most so many items of a page; a page ends after 1 MB in any case.
    limit: Option<i32>,
    start: Option<Item>,
}

impl Range {
    /// All of a partition.
    pub(super) fn of(pk: impl Into<String>) -> Self {
        Self::new(None, "pk", pk)
    }

    /// All of a partition of the index `list`. Such reads are never consistent.
    pub(super) fn of_list(list: &str) -> Self {
        Self::new(Some("list"), "list", list)
    }

    fn new(index: Option<&'static str>, partition: &str, value: impl Into<String>) -> Self {
        let place = if index.is_some() { "slot" } else { "sk" };
        Self {
            index,
            condition: "#partition = :partition".into(),
            filter: None,
            names: HashMap::from([("#partition".into(), partition.into()), ("#place".into(), place.into())]),
            values: HashMap::from([(":partition".into(), s(value))]),
            backwards: false,
            consistent: false,
            limit: None,
            start: None,
        }
    }

    /// Places from `first` to `last`, both included.
    pub(super) fn between(mut self, first: impl Into<String>, last: impl Into<String>) -> Self {
        self.condition.push_str(" AND #place BETWEEN :first AND :last");
        self.values.extend([(":first".into(), s(first)), (":last".into(), s(last))]);
        self
    }

    /// Places that begin with this.
    pub(super) fn beginning(mut self, with: impl Into<String>) -> Self {
        self.condition.push_str(" AND begins_with(#place, :beginning)");
        self.values.insert(":beginning".into(), s(with));
        self
    }

    /// The highest place first.
    pub(super) fn backwards(mut self) -> Self {
        self.backwards = true;
        self
    }

    /// With every write that was answered before.
    pub(super) fn consistent(mut self) -> Self {
        self.consistent = true;
        self
    }

    /// Only items whose `attribute` contains these texts: all of them or one, as `glue` says (` AND `, ` OR `). What is left
    /// out is paid for like the rest.
    pub(super) fn containing(mut self, attribute: &str, texts: &[String], glue: &str) -> Self {
        let parts: Vec<_> = (0..texts.len()).map(|number| format!("contains(#filtered, :text{number})")).collect();
        self.filter = Some(parts.join(glue));
        self.names.insert("#filtered".into(), attribute.into());
        self.values.extend(texts.iter().enumerate().map(|(number, text)| (format!(":text{number}"), s(text))));
        self
    }

    /// The key that it goes on behind, if it is the rest of a range.
    pub(super) fn start(&self) -> Option<Key> {
        self.start.as_ref().and_then(|key| Key::of(key).ok())
    }

    /// At most so many items of a page.
    pub(super) fn limit(mut self, items: usize) -> Self {
        self.limit = i32::try_from(items.max(1)).ok();
        self
    }
}

impl DynamoStore {
    /// One page; the range then stands where the next one begins, and `None` says that this was the last.
    pub(super) async fn page(&self, range: Range) -> StoreResult<(Vec<Item>, Option<Range>)> {
        let mut names = range.names.clone();
        if !range.condition.contains("#place") {
            names.remove("#place");
        }
        let asked = QueryInput::builder()
            .table_name(&self.table)
            .set_index_name(range.index.map(str::to_owned))
            .key_condition_expression(&range.condition)
            .set_filter_expression(range.filter.clone())
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(range.values.clone()))
            .scan_index_forward(!range.backwards)
            .consistent_read(range.consistent)
            .set_limit(range.limit)
            .set_exclusive_start_key(range.start.clone())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .build();
        let answer = self.patience(BATCH).call(&self.service, asked).await??;
        self.meter.reads("query", answer.consumed_capacity());
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        let next = next.map(|start| Range { start: Some(start), ..range });
        Ok((answer.items.unwrap_or_default(), next))
    }

    /// All pages.
    pub(super) async fn all(&self, range: Range) -> StoreResult<Vec<Item>> {
        let (mut items, mut next) = self.page(range).await?;
        while let Some(range) = next {
            let page = self.page(range).await?;
            items.extend(page.0);
            next = page.1;
        }
        Ok(items)
    }

    /// The items of these keys that there are, in no order. Eventually consistent reads cost half.
    pub(super) async fn get_all(&self, keys: &[Key], consistent: bool) -> StoreResult<Vec<Item>> {
        let mut items = Vec::new();
        let keys: Vec<_> = keys.iter().collect::<HashSet<_>>().into_iter().collect();
        for keys in keys.chunks(GET) {
            let attributes = keys.iter().map(|key| key.attributes()).collect();
            let wanted = KeysAndAttributes::builder().set_keys(Some(attributes)).consistent_read(consistent).build();
            let wanted = wanted.map_err(|_| broken("a batch without keys"))?;
            let mut wanted = Some(HashMap::from([(self.table.clone(), wanted)]));
            let mut patience = self.patience(BATCH);
            while let Some(request) = wanted {
                let asked = BatchGetItemInput::builder()
                    .set_request_items(Some(request))
                    .return_consumed_capacity(ReturnConsumedCapacity::Total)
                    .build();
                let answer = patience.call(&self.service, asked).await??;
                self.meter.reads("batch get", answer.consumed_capacity());
                items.extend(answer.responses.unwrap_or_default().into_values().flatten());
                wanted = answer.unprocessed_keys.filter(|left| !left.is_empty());
                if wanted.is_some() {
                    patience.again().await?;
                }
            }
        }
        Ok(items)
    }

    /// Puts items, whatever was there.
    pub(super) async fn put_all(&self, items: Vec<Item>) -> StoreResult<()> {
        let puts = items.into_iter().map(|item| PutRequest::builder().set_item(Some(item)).build());
        let puts = puts.map(|put| Ok(WriteRequest::builder().put_request(put?).build()));
        self.write_all(puts.collect()).await
    }

    /// Takes items away. A write that was tried again may name one twice, which DynamoDB does not take.
    pub(super) async fn remove_all(&self, keys: &[Key]) -> StoreResult<()> {
        let keys: HashSet<_> = keys.iter().collect();
        let removals = keys.into_iter().map(|key| DeleteRequest::builder().set_key(Some(key.attributes())).build());
        let removals = removals.map(|removal| Ok(WriteRequest::builder().delete_request(removal?).build()));
        self.write_all(removals.collect()).await
    }

    async fn write_all(
        &self,
        writes: Result<Vec<WriteRequest>, aws_sdk_dynamodb::error::BuildError>,
    ) -> StoreResult<()> {
        for writes in writes.map_err(|_| broken("a write of nothing"))?.chunks(WRITE) {
            let mut left = Some(HashMap::from([(self.table.clone(), writes.to_vec())]));
            let mut patience = self.patience(BATCH);
            while let Some(request) = left {
                let asked = BatchWriteItemInput::builder()
                    .set_request_items(Some(request))
                    .return_consumed_capacity(ReturnConsumedCapacity::Total)
                    .build();
                let answer = patience.call(&self.service, asked).await??;
                self.meter.writes("batch write", answer.consumed_capacity());
                left = answer.unprocessed_items.filter(|left| !left.is_empty());
                if left.is_some() {
                    patience.again().await?;
                }
            }
        }
        Ok(())
    }
}
