//! Figures over a period, from every head and from what was counted on the days of the period. A median of an even number of
//! values is the mean of the two in the middle.

use std::collections::{BTreeMap, HashMap};

use futures::future::try_join_all;

use super::DynamoStore;
use super::batch::Range;
use super::day::Counts;
use super::head::{Head, State};
use super::info::partition;
use super::item::{Key, conversation_of, counts, read};
use crate::store::{Day, Figures, StoreResult};
use crate::time::Timestamp;

/// So many days are read at once.
const AT_ONCE: usize = 16;

#[derive(Default)]
struct Sums {
    days: BTreeMap<i64, Day>,
    /// Answer times by day.
    responses: BTreeMap<i64, Vec<i64>>,
    /// First answers.
    firsts: Vec<i64>,
}

impl Sums {
    fn day(&mut self, day: i64) -> &mut Day {
        self.days.entry(day).or_insert_with(|| Day { day, ..Day::default() })
    }

    fn add(&mut self, counts: &Counts) {
        let day = self.day(counts.day);
        day.messages_visitor += counts.visitor;
        day.messages_admin += counts.admin;
        self.responses.entry(counts.day).or_default().extend(&counts.responses);
        self.firsts.extend(counts.responses.first().filter(|_| counts.has_first));
    }
}

fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    let upper = values.get(values.len() / 2)?;
    let lower = values.get(values.len().saturating_sub(1) / 2)?;
    Some(i64::midpoint(*lower, *upper))
}

impl DynamoStore {
    /// [`crate::store::Records::figures`].
    pub(super) async fn sum_up(&self, from_day: i64, to_day: i64, now: Timestamp) -> StoreResult<Figures> {
        let heads = self.every_head().await?;
        let period = from_day..=to_day;
        let mut sums = Sums::default();
        for head in heads.values() {
            let began = head.created_at.day();
            if period.contains(&began) {
                sums.day(began).conversations += 1;
            }
            if let Some(counts) = head.counts.as_ref().filter(|counts| period.contains(&counts.day)) {
                sums.add(counts);
            }
        }
        for part in self.past_parts(&heads, from_day, to_day).await? {
            sums.add(&part);
        }
        for (day, responses) in &sums.responses {
            if let Some(sum) = sums.days.get_mut(day) {
                sum.median_response_ms = median(responses.clone());
            }
        }
        let count = |counts: &dyn Fn(&Head) -> bool| {
            i64::try_from(heads.values().filter(|head| counts(head)).count()).unwrap_or(i64::MAX)
        };
        Ok(Figures {
            active_conversations: count(&|head| head.state == State::Open),
            visitors_online: count(&|head| !head.sockets(now).is_empty()),
            messages_total: heads.values().map(|head| head.head_seq).sum(),
            median_first_response_ms: median(sums.firsts),
            median_response_ms: median(sums.responses.into_values().flatten().collect()),
            days: sums.days.into_values().collect(),
        })
    }

    /// Every head, as the list knows them.
    async fn every_head(&self) -> StoreResult<HashMap<String, Head>> {
        let mut ids = Vec::new();
        for state in [State::Open, State::Closed] {
            let mut next = Some(Range::of_list(partition(state)));
            while let Some(range) = next {
                let (items, rest) = self.page(range).await?;
                for item in &items {
                    ids.extend(conversation_of(&Key::of(item)?.pk).map(str::to_owned));
                }
                next = rest;
            }
        }
        // One that moved from one state to the other while we read.
        ids.sort_unstable();
        ids.dedup();
        self.heads_of(ids.iter().map(String::as_str), false).await
    }

    /// What left the heads of what was counted in a period.
    async fn past_parts(&self, heads: &HashMap<String, Head>, from: i64, to: i64) -> StoreResult<Vec<Counts>> {
        let first = heads.values().map(|head| head.created_at.day()).min().unwrap_or(i64::MAX);
        let last = heads.values().map(|head| head.last_activity_at.day()).max().unwrap_or(i64::MIN);
        let days: Vec<_> = (from.max(first)..=to.min(last)).collect();
        let mut parts = Vec::new();
        for days in days.chunks(AT_ONCE) {
            for items in try_join_all(days.iter().map(|day| self.all(Range::of(counts(*day))))).await? {
                for item in items {
                    let key = Key::of(&item)?;
                    let head = key.sk.rsplit_once('#').and_then(|(id, _)| heads.get(id));
                    let part: Counts = read(item)?;
                    // Of a part that the head is about to replace, the head's are the true counts.
                    if head.is_some_and(|head| head.counts.as_ref().is_none_or(|newest| newest.since != part.since)) {
                        parts.push(part);
                    }
                }
            }
        }
        Ok(parts)
    }
}
