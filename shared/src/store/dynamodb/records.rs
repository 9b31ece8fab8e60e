//! The audit trail; search and figures are in files of their own.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::batch::Range;
use super::failure::broken;
use super::item::{Item, Key, millis, read, short, text};
use super::table::Terms;
use crate::model::{Activity, Message};
use crate::store::page::{Key as Place, empty, page};
use crate::store::{Figures, Page, PageRequest, Records, StoreResult};
use crate::time::Timestamp;

/// The partition of the trail.
const ACTIVITY: &str = "ACTIVITY";
/// What stands before every id.
const FIRST: &str = " ";

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(with = "millis")]
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    ip: String,
    action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation_id: Option<String>,
    /// JSON.
    details: String,
}

fn line(item: Item) -> StoreResult<Activity> {
    let id = Key::of(&item)?.sk;
    let line: Line = read(item)?;
    Ok(Activity {
        id,
        created_at: line.created_at,
        session_id: line.session_id,
        name: line.name,
        ip: line.ip,
        action: line.action,
        conversation_id: line.conversation_id,
        details: serde_json::from_str(&line.details).map_err(|_| broken("details that are no JSON"))?,
    })
}

#[async_trait]
impl Records for DynamoStore {
    async fn record(&self, activity: &Activity) -> StoreResult<()> {
        let maybe = |value: &Option<String>| value.as_deref().map(text);
        let line = Line {
            created_at: activity.created_at,
            session_id: maybe(&activity.session_id),
            name: maybe(&activity.name),
            ip: text(&activity.ip),
            action: text(&activity.action),
            conversation_id: maybe(&activity.conversation_id),
            details: activity.details.to_string(),
        };
        self.put(Key::new(ACTIVITY, short(&activity.id)).item(&line)?, Terms::absent()).await.map(|_| ())
    }

    async fn activity(&self, request: &PageRequest) -> StoreResult<Page<Activity>> {
        let start = request.key().filter(|start| request.cursor.is_none() || start.id.as_str() > FIRST);
        let Some(start) = start else { return Ok(empty()) };
        let size = request.size();
        let all = Range::of(ACTIVITY).backwards().consistent();
        let mut next = Some(if request.cursor.is_some() { all.between(FIRST, short(&start.id)) } else { all });
        let mut lines = Vec::new();
        while let Some(range) = next.filter(|_| lines.len() <= size) {
            // One for the line that the cursor stands on, one to see whether more follow.
            let (items, rest) = self.page(range.limit(size + 2)).await?;
            for item in items {
                lines.push(line(item)?);
            }
            lines.retain(|line| request.cursor.is_none() || line.id != start.id);
            next = rest;
        }
        Ok(page(lines, size, |line| Place { at: line.created_at.0, id: line.id.clone(), seq: 0 }))
    }

    async fn index(&self, until: Timestamp, least: usize) -> StoreResult<usize> {
        self.finish_undone(until, least).await
    }

    async fn search(&self, terms: &[String], page: &PageRequest) -> StoreResult<Page<(Message, String)>> {
        self.find_words(terms, page).await
    }

    async fn figures(&self, from_day: i64, to_day: i64, now: Timestamp) -> StoreResult<Figures> {
        self.sum_up(from_day, to_day, now).await
    }
}
