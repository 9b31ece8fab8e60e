//! Notes among the team: an item each, written together with the head that counts them.

use futures::future::try_join;
use serde::{Deserialize, Serialize};

use super::DynamoStore;
use super::batch::Range;
use super::item::{Item, Key, conversation, millis, read, text};
use super::table::Terms;
use crate::event::EventKind;
use crate::model::{Note, Via};
use crate::store::StoreResult;
use crate::time::Timestamp;

/// What the places of notes begin with.
const NOTES: &str = "NOTE#";
/// So many notes are told.
const NEWEST: usize = 100;

/// The item of a note.
#[derive(Serialize, Deserialize)]
struct NoteItem {
    seq: i64,
    id: String,
    author: String,
    via: Via,
    content: String,
    #[serde(with = "millis")]
    created_at: Timestamp,
}

impl NoteItem {
    fn new(note: &Note, seq: i64) -> Self {
        Self {
            seq,
            id: text(&note.id),
            author: text(&note.author),
            via: note.via,
            content: text(&note.content),
            created_at: note.created_at,
        }
    }

    fn note(self, conversation_id: &str) -> Note {
        Note {
            conversation_id: conversation_id.to_owned(),
            seq: self.seq,
            id: self.id,
            author: self.author,
            via: self.via,
            content: self.content,
            created_at: self.created_at,
        }
    }
}

fn key(conversation_id: &str, seq: i64) -> Key {
    Key::new(conversation(conversation_id), format!("{NOTES}{seq:06}"))
}

fn of(conversation_id: &str) -> Range {
    Range::of(conversation(conversation_id)).beginning(NOTES).consistent()
}

fn notes_of(conversation_id: &str, items: Vec<Item>) -> StoreResult<Vec<Note>> {
    items.into_iter().map(|item| Ok(read::<NoteItem>(item)?.note(conversation_id))).collect()
}

impl DynamoStore {
    /// [`crate::store::Conversations::add_note`].
    pub(super) async fn store_note(&self, note: &Note) -> StoreResult<Option<(Note, bool)>> {
        let id = &note.conversation_id;
        let mut turn = self.turn(id).await?;
        loop {
            let Some(mut next) = turn.next(self).await? else { return Ok(None) };
            // Whoever adds one after this has been asked changes the head, which then is not the one that was seen.
            if next.notes > 0
                && let Some(first) = self.note_by_id(id, &text(&note.id)).await?
            {
                return Ok(Some((first, false)));
            }
            next.notes += 1;
            next.tell(EventKind::NoteAdded, next.notes, note.created_at);
            let item = NoteItem::new(note, next.notes);
            let part = self.to_put(key(id, item.seq).item(&item)?, Terms::absent())?;
            if turn.commit_with(self, &next, vec![part]).await? {
                return Ok(Some((item.note(id), true)));
            }
        }
    }

    async fn note_by_id(&self, conversation_id: &str, id: &str) -> StoreResult<Option<Note>> {
        let notes = notes_of(conversation_id, self.all(of(conversation_id)).await?)?;
        Ok(notes.into_iter().find(|note| note.id == id))
    }

    /// [`crate::store::Conversations::notes`].
    pub(super) async fn newest_notes(&self, conversation_id: &str) -> StoreResult<Vec<Note>> {
        let newest = async {
            let (mut items, mut next) = (Vec::new(), Some(of(conversation_id).backwards()));
            while let Some(range) = next.filter(|_| items.len() < NEWEST) {
                let page = self.page(range.limit(NEWEST - items.len())).await?;
                items.extend(page.0);
                next = page.1;
            }
            Ok(items)
        };
        let (head, mut items) = try_join(self.head(conversation_id), newest).await?;
        if head.is_none() {
            return Ok(Vec::new());
        }
        items.reverse();
        notes_of(conversation_id, items)
    }
}
