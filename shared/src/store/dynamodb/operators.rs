//! Operators that are there without a socket. They stand in the item of the admins' sockets, so that asking whether anybody is
//! there costs one read.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::DynamoStore;
use super::failure::CHANGE;
use super::item::{Key, t, text};
use super::sockets::Sockets;
use super::table::{Terms, Written};
use crate::store::StoreResult;
use crate::time::Timestamp;

/// At most so many operators that have gone are taken out at once.
const GONE: usize = 50;

impl Sockets {
    /// How many operators are there.
    pub(super) fn operators(&self, now: Timestamp) -> usize {
        self.operators.values().filter(|until| **until > now.0).count()
    }
}

fn map(entries: impl IntoIterator<Item = (String, AttributeValue)>) -> AttributeValue {
    AttributeValue::M(entries.into_iter().collect())
}

impl DynamoStore {
    /// [`crate::store::ConnectionRows::operator_present`].
    pub(super) async fn note_operator(&self, operator: &str, until: Timestamp, now: Timestamp) -> StoreResult<()> {
        let (key, operator) = (Key::admins(), text(operator));
        let mut patience = self.patience(CHANGE);
        loop {
            let note = Terms::change("SET operators.#operator = :until REMOVE #ttl")
                .only_when("attribute_exists(operators)")
                .name("#operator", &operator)
                .name("#ttl", "ttl")
                .value(":until", t(until));
            let found = match self.update(&key, note).await? {
                Written::Done(list) => return self.forget_operators(Sockets::read(list)?, now).await,
                Written::Refused(found) => found,
            };
            let written = if found.is_some() {
                let begin = Terms::change("SET operators = :first REMOVE #ttl")
                    .only_when("attribute_exists(pk) AND attribute_not_exists(operators)")
                    .name("#ttl", "ttl")
                    .value(":first", map([(operator.clone(), t(until))]));
                self.update(&key, begin).await?
            } else {
                let operators = BTreeMap::from([(operator.clone(), until.0)]);
                let list = Sockets::of_operators(operators);
                self.put(key.item(&list)?, Terms::absent()).await?
            };
            if written.stands() {
                return Ok(());
            }
            patience.again().await?;
        }
    }

    /// Takes those out that have gone, unless one of them has come again.
    async fn forget_operators(&self, list: Sockets, now: Timestamp) -> StoreResult<()> {
        let gone: Vec<_> = list.operators.into_iter().filter(|(_, until)| *until <= now.0).take(GONE).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let places: Vec<_> = (0..gone.len()).map(|number| format!("operators.#id{number}")).collect();
        let still: Vec<_> = places.iter().map(|place| format!("{place} <= :now")).collect();
        let terms =
            Terms::change(format!("REMOVE {}", places.join(", "))).only_when(still.join(" AND ")).value(":now", t(now));
        let terms =
            gone.iter().enumerate().fold(terms, |terms, (number, (id, _))| terms.name(&format!("#id{number}"), id));
        self.update(&Key::admins(), terms).await.map(|_| ())
    }

    /// Forgets the admins' sockets, but not the operators.
    pub(super) async fn forget_admins(&self) -> StoreResult<()> {
        let nobody = Terms::when("attribute_not_exists(operators)");
        let Written::Refused(_) = self.remove(&Key::admins(), nobody).await? else { return Ok(()) };
        let terms = Terms::change("SET #sockets = :none")
            .only_when("attribute_exists(pk)")
            .name("#sockets", "sockets")
            .value(":none", map([]));
        self.update(&Key::admins(), terms).await.map(|_| ())
    }
}
