//! Operators that are there without a socket. They stand in the item of the admins' sockets, so that asking whether anybody is
//! there costs one read.

use std::collections::BTreeMap;

use super::DynamoStore;
use super::failure::{CHANGE, Patience};
use super::item::{Key, text};
use super::sockets::Sockets;
use super::table::{Terms, Written};
use crate::store::StoreResult;
use crate::time::Timestamp;

impl Sockets {
    /// How many operators are there.
    pub(super) fn operators(&self, now: Timestamp) -> usize {
        self.operators.values().filter(|until| **until > now.0).count()
    }

    /// Notes until when an operator is there, and forgets those that have gone.
    fn note(&mut self, operator: &str, until: Timestamp, now: Timestamp) {
        self.operators.insert(operator.to_owned(), until.0);
        self.operators.retain(|_, until| *until > now.0);
    }
}

impl DynamoStore {
    /// [`crate::store::ConnectionRows::operator_present`].
    pub(super) async fn note_operator(&self, operator: &str, until: Timestamp, now: Timestamp) -> StoreResult<()> {
        let (key, operator) = (Key::admins(), text(operator));
        let mut patience = Patience::of(CHANGE);
        let mut found = self.get(&key, true).await?;
        loop {
            let there = found.is_some();
            let mut list = Sockets::read(found)?;
            let before = list.operators.clone();
            list.note(&operator, until, now);
            if list.operators == before {
                return Ok(());
            }
            let written = if there {
                self.update(&key, replacing(&before, &list.operators)?).await?
            } else {
                self.put(key.item(&list)?, Terms::absent()).await?
            };
            let Written::Refused(item) = written else { return Ok(()) };
            found = item;
            patience.again().await?;
        }
    }

    /// Forgets the admins' sockets, but not the operators.
    pub(super) async fn forget_admins(&self) -> StoreResult<()> {
        let nobody = Terms::when("attribute_not_exists(operators)");
        let Written::Refused(_) = self.remove(&Key::admins(), nobody).await? else { return Ok(()) };
        let none = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(BTreeMap::<String, i64>::new())?;
        let terms = Terms::change("SET #sockets = :none")
            .only_when("attribute_exists(pk)")
            .name("#sockets", "sockets")
            .value(":none", none);
        self.update(&Key::admins(), terms).await.map(|_| ())
    }
}

/// Puts operators in place of those that were seen. The item then has no end of its own.
fn replacing(before: &BTreeMap<String, i64>, after: &BTreeMap<String, i64>) -> StoreResult<Terms> {
    let to_value = |operators| serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(operators);
    let mut terms = Terms::change("REMOVE operators, #ttl").name("#ttl", "ttl");
    if !after.is_empty() {
        terms =
            Terms::change("SET operators = :after REMOVE #ttl").name("#ttl", "ttl").value(":after", to_value(after)?);
    }
    Ok(if before.is_empty() {
        terms.only_when("attribute_exists(pk) AND attribute_not_exists(operators)")
    } else {
        terms.only_when("operators = :before").value(":before", to_value(before)?)
    })
}
