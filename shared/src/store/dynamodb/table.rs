//! Calls of the table: each measured, each tried again while that may help.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemError, DeleteItemInput};
use aws_sdk_dynamodb::operation::get_item::GetItemInput;
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemInput};
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsInput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemInput};
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConsumedCapacity, Delete, Put, ReturnConsumedCapacity, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use serde::de::DeserializeOwned;

use super::DynamoStore;
use super::failure::broken;
use super::item::{Item, Key, nonce, read, s, t};
use crate::store::StoreResult;
use crate::time::Timestamp;

/// A call with all its tries, in milliseconds.
const CALL: u64 = 3_000;

/// What calls have cost so far, in thousandths of a unit.
#[derive(Debug, Default)]
pub(super) struct Meter {
    read: AtomicU64,
    written: AtomicU64,
}

impl Meter {
    #[expect(clippy::cast_precision_loss, reason = "exact up to 9,000 billion units")]
    pub(super) fn totals(&self) -> (f64, f64) {
        let units = |sum: &AtomicU64| sum.load(Ordering::Relaxed) as f64 / 1e3;
        (units(&self.read), units(&self.written))
    }

    pub(super) fn reads<'a>(&self, call: &str, used: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.read.fetch_add(thousandths(call, used), Ordering::Relaxed);
    }

    pub(super) fn writes<'a>(&self, call: &str, used: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        self.written.fetch_add(thousandths(call, used), Ordering::Relaxed);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "units are few and never negative")]
fn thousandths<'a>(call: &str, used: impl IntoIterator<Item = &'a ConsumedCapacity>) -> u64 {
    let units: f64 = used.into_iter().filter_map(ConsumedCapacity::capacity_units).sum();
    tracing::debug!(call, units, "dynamodb");
    (units * 1e3).round() as u64
}

/// Expressions of a call with what stands for their `#names` and `:values`.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    pub(super) condition: Option<String>,
    pub(super) update: Option<String>,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<HashMap<String, AttributeValue>>,
}

impl Terms {
    /// Only if this holds.
    pub(super) fn when(condition: impl Into<String>) -> Self {
        Self { condition: Some(condition.into()), ..Self::default() }
    }

    /// Only if there is no such item yet.
    pub(super) fn absent() -> Self {
        Self::when("attribute_not_exists(pk)")
    }

    /// What is to be done to an item.
    pub(super) fn change(update: impl Into<String>) -> Self {
        Self { update: Some(update.into()), ..Self::default() }
    }

    /// Only if this holds.
    pub(super) fn only_when(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    /// What `#placeholder` stands for.
    pub(super) fn name(mut self, placeholder: &str, name: &str) -> Self {
        self.names.get_or_insert_default().insert(placeholder.to_owned(), name.to_owned());
        self
    }

    /// What `:placeholder` stands for.
    pub(super) fn value(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.get_or_insert_default().insert(placeholder.to_owned(), value);
        self
    }
}

/// How a conditional write ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Written {
    /// It stands. For an update: the item as it is now; for a removal: as it was, if there was one.
    Done(Option<Item>),
    /// The condition did not hold; the item as it is, if there is one.
    ///
    /// Also after a lost answer: the condition was tested again after our own write. Whoever asks must recognise that.
    Refused(Option<Item>),
}

impl Written {
    /// Whether it stands.
    pub(super) fn stands(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Together {
    /// All of it stands.
    Done,
    /// None of it stands; for each part whether its condition held, and if not, its item as it is.
    Refused(Vec<Result<(), Option<Item>>>),
}

/// Ends a conditional write whose failure may be an answer.
fn settle<E>(
    outcome: Result<Option<Item>, SdkError<E, aws_sdk_dynamodb::config::http::HttpResponse>>,
    refused: impl Fn(&E) -> Option<Option<Item>>,
) -> StoreResult<Written>
where
    E: aws_sdk_dynamodb::error::ProvideErrorMetadata,
{
    match outcome {
        Ok(item) => Ok(Written::Done(item)),
        Err(error) => match error.as_service_error().and_then(refused) {
            Some(item) => Ok(Written::Refused(item)),
            None => Err(error.into()),
        },
    }
}

impl DynamoStore {
    /// One item. Eventually consistent reads cost half, and may be some 100 ms old.
    pub(super) async fn get(&self, key: &Key, consistent: bool) -> StoreResult<Option<Item>> {
        let asked = GetItemInput::builder()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .consistent_read(consistent)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .build();
        let answer = self.patience(CALL).call(&self.service, asked).await??;
        self.meter.reads("get", answer.consumed_capacity());
        Ok(answer.item)
    }

    /// Puts a whole item.
    pub(super) async fn put(&self, item: Item, terms: Terms) -> StoreResult<Written> {
        let asked = PutItemInput::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .set_condition_expression(terms.condition)
            .set_expression_attribute_names(terms.names)
            .set_expression_attribute_values(terms.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .build();
        let answer = self.patience(CALL).call(&self.service, asked).await?;
        let answer = answer.map(|done| {
            self.meter.writes("put", done.consumed_capacity());
            None
        });
        settle(answer, |error| match error {
            PutItemError::ConditionalCheckFailedException(failed) => Some(failed.item.clone()),
            _ => None,
        })
    }

    /// Changes parts of an item, making it if its condition allows that.
    pub(super) async fn update(&self, key: &Key, terms: Terms) -> StoreResult<Written> {
        let asked = UpdateItemInput::builder()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .set_update_expression(terms.update)
            .set_condition_expression(terms.condition)
            .set_expression_attribute_names(terms.names)
            .set_expression_attribute_values(terms.values)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .build();
        let answer = self.patience(CALL).call(&self.service, asked).await?;
        let answer = answer.map(|done| {
            self.meter.writes("update", done.consumed_capacity());
            done.attributes
        });
        settle(answer, |error| match error {
            UpdateItemError::ConditionalCheckFailedException(failed) => Some(failed.item.clone()),
            _ => None,
        })
    }

    /// Takes what works once: of racing callers one gets it, unless it has expired. It stays until then, marked.
    pub(super) async fn take_once<T: DeserializeOwned>(&self, key: &Key, now: Timestamp) -> StoreResult<Option<T>> {
        let by = nonce()?;
        let terms = Terms::change("SET taken_by = :by")
            .only_when("expires_at > :now AND (attribute_not_exists(taken_by) OR taken_by = :by)")
            .value(":by", s(&by))
            .value(":now", t(now));
        match self.update(key, terms).await? {
            Written::Done(item) => item.map(read).transpose(),
            Written::Refused(_) => Ok(None),
        }
    }

    /// Takes an item away.
    pub(super) async fn remove(&self, key: &Key, terms: Terms) -> StoreResult<Written> {
        let asked = DeleteItemInput::builder()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .set_condition_expression(terms.condition)
            .set_expression_attribute_names(terms.names)
            .set_expression_attribute_values(terms.values)
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .build();
        let answer = self.patience(CALL).call(&self.service, asked).await?;
        let answer = answer.map(|done| {
            self.meter.writes("delete", done.consumed_capacity());
            done.attributes
        });
        settle(answer, |error| match error {
            DeleteItemError::ConditionalCheckFailedException(failed) => Some(failed.item.clone()),
            _ => None,
        })
    }

    /// Writes several items or none. Costs twice as much as writing each by itself.
    pub(super) async fn together(&self, parts: Vec<TransactWriteItem>) -> StoreResult<Together> {
        let mut patience = self.patience(CALL);
        loop {
            let asked = TransactWriteItemsInput::builder()
                .set_transact_items(Some(parts.clone()))
                // Of the same call tried again after a lost answer, DynamoDB does nothing twice.
                .client_request_token(nonce()?)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .build();
            let error = match patience.call(&self.service, asked).await? {
                Ok(done) => {
                    self.meter.writes("transact", done.consumed_capacity());
                    return Ok(Together::Done);
                }
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    match refusals(cancelled.cancellation_reasons()) {
                        Some(refusals) => return Ok(Together::Refused(refusals)),
                        None => patience.again().await?,
                    }
                }
                _ => return Err(error.into()),
            }
        }
    }

    /// A part of [`Self::together`]: [`Self::put`].
    pub(super) fn to_put(&self, item: Item, terms: Terms) -> StoreResult<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .set_condition_expression(terms.condition)
            .set_expression_attribute_names(terms.names)
            .set_expression_attribute_values(terms.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        Ok(TransactWriteItem::builder().put(put.map_err(|_| broken("a put without an item"))?).build())
    }

    /// A part of [`Self::together`]: [`Self::update`].
    pub(super) fn to_update(&self, key: &Key, terms: Terms) -> StoreResult<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .set_update_expression(terms.update)
            .set_condition_expression(terms.condition)
            .set_expression_attribute_names(terms.names)
            .set_expression_attribute_values(terms.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        Ok(TransactWriteItem::builder().update(update.map_err(|_| broken("an update without a change"))?).build())
    }

    /// A part of [`Self::together`]: [`Self::remove`].
    pub(super) fn to_remove(&self, key: &Key, terms: Terms) -> StoreResult<TransactWriteItem> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .set_condition_expression(terms.condition)
            .set_expression_attribute_names(terms.names)
            .set_expression_attribute_values(terms.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        Ok(TransactWriteItem::builder().delete(delete.map_err(|_| broken("a removal without a key"))?).build())
    }
}

/// What the conditions said; `None` when something else was in the way, which passes.
fn refusals(reasons: &[CancellationReason]) -> Option<Vec<Result<(), Option<Item>>>> {
    let refused = |reason: &CancellationReason| match reason.code() {
        Some("ConditionalCheckFailed") => Err(reason.item.clone()),
        _ => Ok(()),
    };
    let refusals: Vec<_> = reasons.iter().map(refused).collect();
    refusals.iter().any(Result::is_err).then_some(refusals)
}
