//! Storing messages: the one hot path.
//!
//! Messages that wait together are stored together, in one call however many they are: [`plan`] makes of what the conversations
//! hold what each message becomes, and one script, or statement, writes all of it. A writer remembers what the conversations
//! held after their last messages; of others that is read before, without a lock. The write fails when one of the
//! conversations has moved meanwhile, by whatever means, and then what was remembered is forgotten and read. A conversation's
//! first message of a day, and one that is refused for coming too fast, take a few statements more.

mod plan;
mod statements;

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::rows::{json, maybe_number, maybe_string, number, string, word};
use super::{Database, connections, rows, text};
use crate::event::Lane;
use crate::model::Message;
use crate::rate_limit::Rate;
use crate::store::{Appended, Audience};
use plan::{Before, Head, Moved, Outcome, Plan, Row};
pub(super) use statements::BEFORE;
use statements::{BY_SEQ, DAY, EMPTIED, WRITE, WRITE_IN_ALL, WRITE_ONE, has_moved_already};

/// So many conversations are remembered at most.
const REMEMBERED: usize = 4_096;

/// A message that is to be stored.
pub(super) struct Order {
    pub(super) message: Message,
    pub(super) rate: Option<Rate>,
    pub(super) lanes: Arc<[Lane]>,
}

/// What conversations held after their last messages.
#[derive(Default)]
pub(super) struct Memory(HashMap<String, Before>);

impl Memory {
    fn keep(&mut self, heads: HashMap<String, Head>) {
        if self.0.len() + heads.len() > REMEMBERED {
            self.0.clear();
        }
        // One that is closed would never be looked at again.
        self.0.extend(heads.into_values().map(Head::after).filter(|(_, head)| head.open));
    }
}

/// Stores messages; answers what became of each, in their order. Outside a transaction, of which it makes its own.
pub(super) async fn append(
    connection: &mut AnyConnection,
    database: Database,
    memory: &mut Memory,
    orders: &[&Order],
) -> sqlx::Result<Vec<Appended>> {
    let mut plan = prepare(connection, database, memory, orders).await?;
    let outcomes: Vec<_> = orders.iter().map(|order| plan.take(order)).collect();
    if plan.doubtful {
        return Err(sqlx::Error::RowNotFound);
    }
    let now = orders.iter().map(|one| one.message.created_at.0).max().unwrap_or_default();
    let listeners = match write(connection, database, &plan, now).await {
        Ok(listeners) => listeners,
        Err(error) => {
            // PostgreSQL has ended its transaction by itself; nothing can be done about a connection that is gone.
            let _ = sqlx::query("rollback").execute(connection).await;
            return Err(if has_moved_already(&error) { sqlx::Error::RowNotFound } else { error });
        }
    };
    memory.keep(plan.heads);
    let mut answers = Vec::with_capacity(orders.len());
    for (order, outcome) in orders.iter().zip(outcomes) {
        answers.push(match outcome {
            Outcome::Stored(message) => {
                let audience = listeners.of(&message.conversation_id);
                Appended::Stored { message, audience }
            }
            Outcome::Repeats(message) => Appended::Duplicate(message),
            Outcome::RepeatsSeq(seq) => {
                let query = sqlx::query(BY_SEQ).bind(text(&order.message.conversation_id)).bind(seq);
                Appended::Duplicate(rows::message(&query.fetch_one(&mut *connection).await?)?)
            }
            Outcome::Refused(answer) => answer,
        });
    }
    Ok(answers)
}

/// What the conversations hold. What was remembered is not any more: it comes back when the write has succeeded.
async fn prepare(
    connection: &mut AnyConnection,
    database: Database,
    memory: &mut Memory,
    orders: &[&Order],
) -> sqlx::Result<Plan> {
    let (mut plan, mut unknown) = (Plan::default(), Vec::new());
    for order in orders {
        let id = text(&order.message.conversation_id);
        match memory.0.remove(&id) {
            Some(before) => drop(plan.heads.insert(id.clone(), Head::new(&id, before, true))),
            None if plan.heads.contains_key(&id) => {}
            None => unknown.push([id, text(&order.message.client_id)]),
        }
    }
    if !unknown.is_empty() {
        let rows = sqlx::query(BEFORE.on(database)).bind(json(&unknown)?).fetch_all(connection).await?;
        rows.iter().try_for_each(|row| read(&mut plan, row))?;
    }
    Ok(plan)
}

fn read(plan: &mut Plan, row: &AnyRow) -> sqlx::Result<()> {
    let id = string(row, "conversation_id")?;
    if let Some(seq) = maybe_number(row, "duplicate")? {
        plan.stored.insert((id.clone(), string(row, "client_id")?), seq);
    }
    let before = Before {
        open: string(row, "status")? == "open",
        visitor_name: string(row, "visitor_name")?,
        head_seq: number(row, "head_seq")?,
        event_seq: number(row, "event_seq")?,
        event_at: number(row, "event_at")?,
        last_activity_at: number(row, "last_activity_at")?,
        full_at: number(row, "message_full_at")?,
        day: number(row, "day")?,
        day_visitor: number(row, "day_visitor")?,
        day_admin: number(row, "day_admin")?,
        waiting_since: maybe_number(row, "waiting_since")?,
        answers: number(row, "answers")?,
    };
    let head = Head::new(&id, before, false);
    plan.heads.entry(id).or_insert(head);
    Ok(())
}

/// Who is to hear of the messages.
#[derive(Default)]
struct Listeners {
    visitors: HashMap<String, Audience>,
    admins: Audience,
}

impl Listeners {
    fn read(rows: &[AnyRow]) -> sqlx::Result<Self> {
        let mut listeners = Self::default();
        for row in rows {
            match (maybe_string(row, "side")?.as_deref(), maybe_string(row, "conversation_id")?) {
                (Some("admin"), _) => connections::add(&mut listeners.admins, row)?,
                (Some(_), Some(id)) => connections::add(listeners.visitors.entry(id).or_default(), row)?,
                _ => {}
            }
        }
        listeners.admins.admins.sort();
        listeners.visitors.values_mut().for_each(|all| all.visitor.sort());
        Ok(listeners)
    }

    fn of(&self, conversation_id: &str) -> Audience {
        let visitor = self.visitors.get(conversation_id).map(|all| all.visitor.clone()).unwrap_or_default();
        Audience { visitor, admins: self.admins.admins.clone() }
    }
}

/// One statement where it can be: on SQLite a script that is a transaction, on PostgreSQL a statement of several parts.
async fn write(connection: &mut AnyConnection, database: Database, plan: &Plan, now: i64) -> sqlx::Result<Listeners> {
    let moved = plan.moved();
    if plan.days.is_empty() && plan.emptied().next().is_none() {
        if moved.is_empty() {
            return Ok(Listeners::default());
        }
        return match (moved.as_slice(), plan.messages.as_slice()) {
            ([to], [message]) if plan.events.is_empty() && plan.responses.is_empty() => {
                one(connection, WRITE_ONE.on(database), to, message, now).await
            }
            _ => all(connection, WRITE_IN_ALL.on(database), plan, &moved, now).await,
        };
    }
    sqlx::query(database.begin()).execute(&mut *connection).await?;
    for (day, id, visitor, admin) in &plan.days {
        sqlx::query(DAY).bind(day).bind(id).bind(visitor).bind(admin).execute(&mut *connection).await?;
    }
    for (id, before, full_at) in plan.emptied() {
        sqlx::query(EMPTIED).bind(id).bind(full_at).bind(before).execute(&mut *connection).await?;
    }
    let mut listeners = Listeners::default();
    if !moved.is_empty() {
        listeners = all(connection, WRITE.on(database), plan, &moved, now).await?;
    }
    sqlx::query("commit").execute(connection).await?;
    Ok(listeners)
}

async fn one(
    connection: &mut AnyConnection,
    statement: &'static str,
    to: &Moved,
    message: &Message,
    now: i64,
) -> sqlx::Result<Listeners> {
    let rows = sqlx::query(statement)
        .bind(&to.id)
        .bind(to.before)
        .bind(to.full_before)
        .bind(to.head_seq)
        .bind(to.event_seq)
        .bind(to.event_at)
        .bind(to.last_activity_at)
        .bind(word(message.sender)?)
        .bind(&to.last_preview)
        .bind(to.last_created_at)
        .bind(to.waiting_since)
        .bind(to.answers)
        .bind(to.visitor_read)
        .bind(to.admin_read)
        .bind(to.full_at)
        .bind(to.day)
        .bind(to.day_visitor)
        .bind(to.day_admin)
        .bind(&message.id)
        .bind(&message.client_id)
        .bind(word(message.via)?)
        .bind(&message.author)
        .bind(word(message.message_type)?)
        .bind(&message.content)
        .bind(message.edited_at.map(|at| at.0))
        .bind(message.file.as_ref().map(json).transpose()?)
        .bind(now)
        .fetch_all(connection)
        .await?;
    Listeners::read(&rows)
}

async fn all(
    connection: &mut AnyConnection,
    statement: &'static str,
    plan: &Plan,
    moved: &[&Moved],
    now: i64,
) -> sqlx::Result<Listeners> {
    let messages = plan.messages.iter().map(Row::of).collect::<sqlx::Result<Vec<_>>>()?;
    let rows = sqlx::query(statement)
        .bind(json(&moved)?)
        .bind(json(&messages)?)
        .bind(json(&plan.events)?)
        .bind(json(&plan.responses)?)
        .bind(i64::try_from(moved.len()).unwrap_or(i64::MAX))
        .bind(now)
        .fetch_all(connection)
        .await?;
    Listeners::read(&rows)
}
