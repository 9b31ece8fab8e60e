//! Storing messages: the one hot path.
//!
//! Messages that wait together are stored together, in one transaction: [`plan`] makes of what the conversations hold what each
//! message becomes. A writer remembers what the conversations held after their last messages; of others that is read before,
//! without a lock. The write fails when one of the conversations has moved meanwhile, by whatever means, and then what was
//! remembered is forgotten and read; a message that loses again waits for its turn. On PostgreSQL, where each statement is a
//! trip, the transaction is one statement.

mod plan;
mod statements;
mod written;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::db::{Client, Error, Query, Result, Row, query, transaction};
use super::failure::divides_by_zero;
use super::messages::at;
use super::records::{RECORD, of_line};
use super::rows::{from_json, json, maybe_number, number, string, word};
use super::{Database, rows, text};
use crate::event::Lane;
use crate::model::{Activity, Conversation, Message, Status};
use crate::rate_limit::Rate;
use crate::store::{Appended, Audience};
use plan::{Before, Head, Moved, Outcome, Plan};
pub(super) use statements::BEFORE;
use statements::{
    ALL_AT_ONCE, DAY, EMPTIED, EVENT, HEAD, HEAD_IN_INDEXES, LAST_NUMBER, LOCK, MANY_AT_ONCE, MESSAGE, ONE_AT_ONCE,
    RESPONSE, RUN,
};

/// So many conversations are remembered at most, in some 400 bytes each.
const REMEMBERED: usize = 16_384;

/// A message that is to be stored.
pub(super) struct Order {
    pub(super) message: Message,
    pub(super) rate: Option<Rate>,
    pub(super) lanes: Arc<[Lane]>,
    /// What the audit trail says of it.
    pub(super) line: Option<Activity>,
}

/// What conversations held after their last messages.
#[derive(Default)]
pub(super) struct Memory {
    heads: HashMap<String, Before>,
    /// The number of the last message, on SQLite.
    last_number: Option<i64>,
}

impl Memory {
    /// A conversation that was just made. If it had been made before, the write that goes by this fails, and it is read.
    pub(super) fn begin(&mut self, new: &Conversation) {
        if new.status == Status::Open && self.heads.len() < REMEMBERED {
            self.heads.entry(text(&new.conversation_id)).or_insert_with(|| Before::new(new));
        }
    }

    fn keep(&mut self, heads: BTreeMap<String, Head>, last_number: Option<i64>) {
        self.last_number = last_number;
        if self.heads.len() + heads.len() > REMEMBERED {
            self.heads.clear();
        }
        // One that is closed would never be looked at again.
        self.heads.extend(heads.into_values().map(Head::after).filter(|(_, head)| head.open));
    }
}

/// Stores messages; answers what became of each, in their order. Outside a transaction, of which it makes its own.
pub(super) async fn append(
    client: &mut Client,
    database: Database,
    memory: &mut Memory,
    orders: &[&Order],
) -> Result<Vec<Appended>> {
    store(client, (database, Transaction::Own), memory, orders).await
}

/// Stores a message that lost against others, which wait now until it is stored.
pub(super) async fn append_alone(
    client: &mut Client,
    database: Database,
    memory: &mut Memory,
    order: &Order,
) -> Result<Vec<Appended>> {
    transaction(client, database, async |client| {
        if database == Database::Postgres {
            query(LOCK).bind(text(&order.message.conversation_id)).fetch_optional(&mut *client).await?;
        }
        store(client, (database, Transaction::Around), memory, &[order]).await
    })
    .await
}

/// Whose transaction it is in which messages are stored.
#[derive(Clone, Copy)]
enum Transaction {
    /// One that is made for the write.
    Own,
    /// The caller's.
    Around,
}

async fn store(
    client: &mut Client,
    (database, transaction): (Database, Transaction),
    memory: &mut Memory,
    orders: &[&Order],
) -> Result<Vec<Appended>> {
    let mut plan = prepare(client, database, memory, orders).await?;
    let outcomes: Vec<_> = orders.iter().map(|order| plan.take(order)).collect();
    if plan.doubtful {
        return Err(Error::Moved);
    }
    let written = match transaction {
        Transaction::Own => write(client, database, &plan).await,
        Transaction::Around => put(client, database, &plan, &plan.moved()).await,
    };
    written.map_err(|error| if divides_by_zero(&error) { Error::Moved } else { error })?;
    memory.keep(plan.heads, plan.last_number);
    let mut stored = plan.messages.into_iter();
    let mut answers = Vec::with_capacity(orders.len());
    for (order, outcome) in orders.iter().zip(outcomes) {
        answers.push(match outcome {
            // Who hears of it is known outside the database.
            Outcome::Stored => {
                Appended::Stored { message: stored.next().ok_or(Error::Moved)?, audience: Audience::default() }
            }
            Outcome::Repeats(message) => Appended::Duplicate(message),
            Outcome::RepeatsSeq(seq) => {
                let first = at(database, &text(&order.message.conversation_id), seq);
                Appended::Duplicate(rows::message(&first.fetch_one(&mut *client).await?)?)
            }
            Outcome::Refused(answer) => answer,
        });
    }
    Ok(answers)
}

/// What the conversations hold. What was remembered is not any more: it comes back when the write has succeeded.
async fn prepare(client: &mut Client, database: Database, memory: &mut Memory, orders: &[&Order]) -> Result<Plan> {
    let mut plan = Plan { last_number: last_number(client, database, memory).await?, ..Plan::default() };
    let mut unknown = Vec::new();
    for order in orders {
        let id = text(&order.message.conversation_id);
        match memory.heads.remove(&id) {
            Some(before) => drop(plan.heads.insert(id.clone(), Head::new(&id, before, true))),
            None if plan.heads.contains_key(&id) => {}
            None => unknown.push([id, text(&order.message.client_id)]),
        }
    }
    if !unknown.is_empty() {
        let rows = query(BEFORE.on(database)).bind(json(&unknown)?).fetch_all(client).await?;
        rows.iter().try_for_each(|row| read(&mut plan, row))?;
    }
    Ok(plan)
}

/// Of no use on PostgreSQL, which numbers messages by itself.
async fn last_number(client: &mut Client, database: Database, memory: &mut Memory) -> Result<Option<i64>> {
    match (database, memory.last_number.take()) {
        (Database::Postgres, _) => Ok(None),
        (Database::Sqlite, None) => maybe_number(&query(LAST_NUMBER).fetch_one(client).await?, "last"),
        (Database::Sqlite, known) => Ok(known),
    }
}

fn read(plan: &mut Plan, row: &Row) -> Result<()> {
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
        newest: from_json(&string(row, "newest")?)?,
    };
    let head = Head::new(&id, before, false);
    plan.heads.entry(id).or_insert(head);
    Ok(())
}

async fn write(client: &mut Client, database: Database, plan: &Plan) -> Result<()> {
    let moved = plan.moved();
    if plan.days.is_empty() && plan.emptied().next().is_none() {
        match (moved.as_slice(), database) {
            ([], _) => return Ok(()),
            (moved, Database::Postgres) => return at_once(client, plan, moved).await,
            (_, Database::Sqlite) => {}
        }
    }
    transaction(client, database, async |client| put(client, database, plan, &moved).await).await
}

async fn put(client: &mut Client, database: Database, plan: &Plan, moved: &[&Moved]) -> Result<()> {
    for (day, id, visitor, admin) in &plan.days {
        query(DAY).bind(day).bind(id).bind(visitor).bind(admin).execute(client).await?;
    }
    for (id, before, full_at) in plan.emptied() {
        query(EMPTIED).bind(id).bind(full_at).bind(before).execute(client).await?;
    }
    match (moved, database) {
        ([], _) => Ok(()),
        (moved, Database::Sqlite) => each(client, plan, moved).await,
        (moved, Database::Postgres) => at_once(client, plan, moved).await,
    }
}

/// Row by row.
async fn each(client: &mut Client, plan: &Plan, moved: &[&Moved]) -> Result<()> {
    for to in moved {
        let statement = if to.moves_in_indexes() { HEAD_IN_INDEXES } else { HEAD };
        if with_head(query(statement), to)?.bind(json(&to.newest)?).execute(client).await? != 1 {
            return Err(Error::Moved);
        }
    }
    for (number, message) in plan.numbers.iter().zip(&plan.messages) {
        let insert = query(MESSAGE).bind(&message.conversation_id).bind(message.seq).bind(&message.client_id);
        let insert = insert.bind(word(message.sender)?).bind(word(message.via)?);
        let insert = insert.bind(&message.author).bind(word(message.message_type)?).bind(&message.content);
        let insert = insert.bind(message.created_at.0).bind(message.edited_at.map(|at| at.0));
        let insert = insert.bind(message.file.as_ref().map(json).transpose()?);
        insert.bind(number).execute(client).await?;
    }
    for run in &plan.runs {
        let insert = query(RUN).bind(&run.conversation_id).bind(run.position);
        insert.bind(json(&run.numbers)?).execute(client).await?;
    }
    for event in &plan.events {
        let insert = query(EVENT).bind(event.lane).bind(&event.conversation_id).bind(event.position);
        insert.bind(word(event.kind)?).bind(event.seq).bind(event.at).execute(client).await?;
    }
    for line in &plan.lines {
        of_line(query(RECORD), line)?.execute(client).await?;
    }
    for wait in &plan.responses {
        let insert = query(RESPONSE).bind(wait.day).bind(&wait.conversation_id).bind(wait.seq);
        insert.bind(wait.milliseconds).bind(wait.first).execute(client).await?;
    }
    Ok(())
}

/// In one statement.
async fn at_once(client: &mut Client, plan: &Plan, moved: &[&Moved]) -> Result<()> {
    let bare = plan.events.is_empty() && plan.responses.is_empty() && plan.lines.is_empty();
    let query = match (moved, plan.messages.as_slice()) {
        ([to], [message]) if bare => one(to, message)?,
        _ if bare => many(MANY_AT_ONCE, plan, moved)?,
        _ => with_rest(many(ALL_AT_ONCE, plan, moved)?, plan)?,
    };
    query.execute(client).await.map(|_| ())
}

fn one(to: &Moved, message: &Message) -> Result<Query> {
    Ok(with_head(query(ONE_AT_ONCE), to)?
        .bind(&message.client_id)
        .bind(word(message.via)?)
        .bind(&message.author)
        .bind(word(message.message_type)?)
        .bind(&message.content)
        .bind(message.edited_at.map(|at| at.0))
        .bind(message.file.as_ref().map(json).transpose()?))
}

/// $1 to $3.
fn many(statement: &'static str, plan: &Plan, moved: &[&Moved]) -> Result<Query> {
    let messages = plan.messages.iter().map(written::Row::of).collect::<Result<Vec<_>>>()?;
    let query = query(statement).bind(json(moved)?).bind(json(&messages)?);
    Ok(query.bind(i64::try_from(moved.len()).unwrap_or(i64::MAX)))
}

/// $4 to $6.
fn with_rest(query: Query, plan: &Plan) -> Result<Query> {
    let lines = plan.lines.iter().map(written::Line::of).collect::<Result<Vec<_>>>()?;
    Ok(query.bind(json(&plan.events)?).bind(json(&plan.responses)?).bind(json(&lines)?))
}

/// $1 to $18.
fn with_head(query: Query, to: &Moved) -> Result<Query> {
    Ok(query
        .bind(&to.id)
        .bind(to.before)
        .bind(to.full_before)
        .bind(to.head_seq)
        .bind(to.event_seq)
        .bind(to.event_at)
        .bind(to.last_activity_at)
        .bind(to.last_sender.map(word).transpose()?)
        .bind(&to.last_preview)
        .bind(to.last_created_at)
        .bind(to.waiting_since)
        .bind(to.answers)
        .bind(to.visitor_read)
        .bind(to.admin_read)
        .bind(to.full_at)
        .bind(to.day)
        .bind(to.day_visitor)
        .bind(to.day_admin))
}
