//! Notes among the team.

use super::db::{Client, Readers, Result, query};
use super::rows::{self, number, word};
use super::{outbox, text};
use crate::event::{EventKind, Lane};
use crate::model::Note;
use crate::store::StoreResult;

const FIRST: &str = "select * from note where conversation_id = $1 and id = $2";
/// Locks the conversation, so that the places are dense.
const COUNT: &str = "update conversation set notes = notes + 1,
        event_seq = event_seq + 1,
        event_at = case when event_at > $2 then event_at else $2 end
    where conversation_id = $1 returning *";
const INSERT: &str = "insert into note (conversation_id, seq, id, author, via, content, created_at)
    values ($1, $2, $3, $4, $5, $6, $7)";
pub(super) const NEWEST: &str = "select * from note where conversation_id = $1 order by seq desc limit 100";

/// Two racing calls with one `id` conflict at the unique index; the writer runs the later one again.
pub(super) async fn add(tx: &mut Client, note: &Note, lanes: &[Lane]) -> Result<Option<(Note, bool)>> {
    let (conversation_id, id) = (text(&note.conversation_id), text(&note.id));
    let first = query(FIRST).bind(&conversation_id).bind(&id).fetch_optional(&mut *tx).await?;
    if let Some(row) = first {
        return Ok(Some((rows::note(&row)?, false)));
    }
    let counted = query(COUNT).bind(&conversation_id).bind(note.created_at.0);
    let Some(head) = counted.fetch_optional(&mut *tx).await? else { return Ok(None) };
    let seq = number(&head, "notes")?;
    let stored =
        Note { conversation_id, seq, id, author: text(&note.author), content: text(&note.content), ..note.clone() };
    query(INSERT)
        .bind(&stored.conversation_id)
        .bind(seq)
        .bind(&stored.id)
        .bind(&stored.author)
        .bind(word(stored.via)?)
        .bind(&stored.content)
        .bind(stored.created_at.0)
        .execute(&mut *tx)
        .await?;
    let (event, position) = outbox::of_row(&head, EventKind::NoteAdded, seq)?;
    outbox::put(tx, lanes, &event, position).await?;
    Ok(Some((stored, true)))
}

/// The newest ones, oldest first.
pub(super) async fn of(readers: &Readers, conversation_id: &str) -> StoreResult<Vec<Note>> {
    let rows = query(NEWEST).bind(text(conversation_id)).fetch_all(readers).await?;
    Ok(rows.iter().rev().map(rows::note).collect::<Result<_>>()?)
}
