//! The audit trail; search and statistics are in files of their own.

use async_trait::async_trait;

use super::db::{Query, Result, query};
use super::rows::{self, json};
use super::{SqlStore, optional, search, statistics, text};
use crate::model::{Activity, Message};
use crate::store::page::{Key, empty, page};
use crate::store::{Figures, Page, PageRequest, Records, StoreResult};
use crate::time::Timestamp;

pub(super) const RECORD: &str =
    "insert into activity (id, created_at, session_id, name, ip, action, conversation_id, details)
    values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing";
const FIRST_PAGE: &str = "select * from activity order by id desc limit $1";
const NEXT_PAGE: &str = "select * from activity where id < $2 order by id desc limit $1";

/// Gives the next eight parameters.
pub(super) fn of_line(query: Query, line: &Activity) -> Result<Query> {
    Ok(query
        .bind(text(&line.id))
        .bind(line.created_at.0)
        .bind(optional(line.session_id.as_deref()))
        .bind(optional(line.name.as_deref()))
        .bind(text(&line.ip))
        .bind(text(&line.action))
        .bind(optional(line.conversation_id.as_deref()))
        .bind(json(&line.details)?))
}

#[async_trait]
impl Records for SqlStore {
    async fn record(&self, activity: &Activity) -> StoreResult<()> {
        self.write_once(&activity.id, activity.clone(), |activity, tx| {
            Box::pin(async move { of_line(query(RECORD), activity)?.execute(tx).await.map(|_| ()) })
        })
        .await
    }

    async fn activity(&self, request: &PageRequest) -> StoreResult<Page<Activity>> {
        let Some(start) = request.key() else { return Ok(empty()) };
        let size = request.size();
        let limit = i64::try_from(size).unwrap_or(i64::MAX) + 1;
        let query = match request.cursor {
            Some(_) => query(NEXT_PAGE).bind(limit).bind(start.id),
            None => query(FIRST_PAGE).bind(limit),
        };
        let rows = query.fetch_all(&self.readers).await?;
        let items: Vec<Activity> = rows.iter().map(rows::activity).collect::<Result<_>>()?;
        Ok(page(items, size, |line| Key { at: line.created_at.0, id: line.id.clone(), seq: 0 }))
    }

    async fn index(&self, until: Timestamp, least: usize) -> StoreResult<usize> {
        self.take_in(until, least).await
    }

    async fn search(&self, terms: &[String], page: &PageRequest) -> StoreResult<Page<(Message, String)>> {
        search::search(&self.readers, self.database, terms, page).await
    }

    async fn figures(&self, from_day: i64, to_day: i64, now: Timestamp) -> StoreResult<Figures> {
        let figures = statistics::figures(&self.readers, from_day, to_day).await?;
        Ok(Figures { visitors_online: self.live.online(now), ..figures })
    }
}
