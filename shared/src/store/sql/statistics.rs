//! Figures over a period. A median of an even number of values is the mean of the two in the middle.

use std::collections::BTreeMap;

use super::db::{Readers, query};
use super::rows::{maybe_number, number};
use crate::store::{Day, Figures, StoreResult};
use crate::time::DAY;

const NOW: &str = "select
    (select count(*) from conversation where status = 'open') as active,
    (select cast(coalesce(sum(head_seq), 0) as bigint) from conversation) as messages";
const MEDIANS: &str = "select
    (select cast((min(ms) + max(ms)) / 2 as bigint) from (
        select milliseconds as ms, row_number() over (order by milliseconds) as place, count(*) over () as total
        from response where day between $1 and $2) as ranked
     where place in ((total + 1) / 2, (total + 2) / 2)) as every,
    (select cast((min(ms) + max(ms)) / 2 as bigint) from (
        select milliseconds as ms, row_number() over (order by milliseconds) as place, count(*) over () as total
        from response where day between $1 and $2 and first = 1) as ranked
     where place in ((total + 1) / 2, (total + 2) / 2)) as firsts";
const CONVERSATIONS: &str = "select created_at / 86400000 as day, count(*) as conversations from conversation
    where created_at >= $1 and created_at < $2 group by created_at / 86400000";
const MESSAGES: &str = "select day, cast(sum(visitor) as bigint) as visitor, cast(sum(admin) as bigint) as admin
    from (
        select day, messages_visitor as visitor, messages_admin as admin from conversation_day
            where day between $1 and $2
        union all
        select day, day_visitor, day_admin from conversation
            where day between $1 and $2 and day_visitor + day_admin > 0) as counted
    group by day";
const MEDIAN_OF_DAY: &str = "select day, (min(ms) + max(ms)) / 2 as median from (
        select day, milliseconds as ms, row_number() over (partition by day order by milliseconds) as place,
            count(*) over (partition by day) as total
        from response where day between $1 and $2) as ranked
    where place in ((total + 1) / 2, (total + 2) / 2) group by day";

/// Figures from `from_day` to `to_day`; who is there stands in no row.
pub(super) async fn figures(pool: &Readers, from_day: i64, to_day: i64) -> StoreResult<Figures> {
    let totals = query(NOW).fetch_one(pool).await?;
    let medians = query(MEDIANS).bind(from_day).bind(to_day).fetch_one(pool).await?;
    Ok(Figures {
        active_conversations: number(&totals, "active")?,
        visitors_online: 0,
        messages_total: number(&totals, "messages")?,
        median_first_response_ms: maybe_number(&medians, "firsts")?,
        median_response_ms: maybe_number(&medians, "every")?,
        days: days(pool, from_day, to_day).await?,
    })
}

async fn days(pool: &Readers, from_day: i64, to_day: i64) -> StoreResult<Vec<Day>> {
    let mut days: BTreeMap<i64, Day> = BTreeMap::new();
    let (begin, end) = (from_day.saturating_mul(DAY), to_day.saturating_add(1).saturating_mul(DAY));
    for row in query(CONVERSATIONS).bind(begin).bind(end).fetch_all(pool).await? {
        entry(&mut days, number(&row, "day")?).conversations = number(&row, "conversations")?;
    }
    for row in query(MESSAGES).bind(from_day).bind(to_day).fetch_all(pool).await? {
        let day = entry(&mut days, number(&row, "day")?);
        (day.messages_visitor, day.messages_admin) = (number(&row, "visitor")?, number(&row, "admin")?);
    }
    for row in query(MEDIAN_OF_DAY).bind(from_day).bind(to_day).fetch_all(pool).await? {
        entry(&mut days, number(&row, "day")?).median_response_ms = maybe_number(&row, "median")?;
    }
    Ok(days.into_values().collect())
}

fn entry(days: &mut BTreeMap<i64, Day>, day: i64) -> &mut Day {
    days.entry(day).or_insert_with(|| Day { day, ..Day::default() })
}
