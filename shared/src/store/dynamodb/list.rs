//! The list of conversations: slot after slot of the index, and in each slot by what the heads say.

use std::collections::{HashMap, HashSet, VecDeque};

use super::DynamoStore;
use super::batch::Range;
use super::head::{Head, State};
use super::info::{Info, SLOT, partition, start};
use super::item::{self, Key, conversation_of, read};
use crate::model::{Conversation, Status};
use crate::store::page::{Key as Place, empty, page};
use crate::store::{ConversationFilter, Page, PageRequest, StoreResult};
use crate::time::Timestamp;

/// Rows of the index that are read at once, when more follow.
const BLOCK: usize = 100;

/// A row of the index.
struct Row {
    conversation_id: String,
    info: Info,
}

/// One partition of the index, slot by slot.
struct Walk {
    rows: VecDeque<Row>,
    next: Option<Range>,
}

impl Walk {
    fn new(state: State, range: impl Fn(Range) -> Range) -> Self {
        Self { rows: VecDeque::new(), next: Some(range(Range::of_list(partition(state)))) }
    }

    async fn read(&mut self, store: &DynamoStore) -> StoreResult<()> {
        let Some(range) = self.next.take() else { return Ok(()) };
        let (items, next) = store.page(range).await?;
        for item in items {
            let key = Key::of(&item)?;
            let Some(conversation_id) = conversation_of(&key.pk) else { continue };
            self.rows.push_back(Row { conversation_id: conversation_id.to_owned(), info: read(item)? });
        }
        self.next = next;
        Ok(())
    }

    /// When the next slot begins.
    async fn peek(&mut self, store: &DynamoStore) -> StoreResult<Option<i64>> {
        while self.rows.is_empty() && self.next.is_some() {
            self.read(store).await?;
        }
        Ok(self.rows.front().map(|row| row.info.begins()))
    }

    /// All rows of a slot, if that is the next one.
    async fn slot(&mut self, store: &DynamoStore, begins: i64, rows: &mut Vec<Row>) -> StoreResult<()> {
        while self.peek(store).await? == Some(begins) {
            rows.extend(self.rows.pop_front());
        }
        Ok(())
    }
}

/// Several partitions, as if they were one.
struct Walks {
    walks: Vec<Walk>,
    backwards: bool,
}

impl Walks {
    /// The rows of the next slot; none at the end.
    async fn slot(&mut self, store: &DynamoStore) -> StoreResult<Vec<Row>> {
        let mut begins = Vec::new();
        for walk in &mut self.walks {
            begins.extend(walk.peek(store).await?);
        }
        let next = if self.backwards { begins.into_iter().max() } else { begins.into_iter().min() };
        let mut rows = Vec::new();
        if let Some(next) = next {
            for walk in &mut self.walks {
                walk.slot(store, next, &mut rows).await?;
            }
        }
        Ok(rows)
    }

    /// At least so many rows, in whole slots; fewer at the end.
    async fn slots(&mut self, store: &DynamoStore, wanted: usize) -> StoreResult<Vec<Row>> {
        let mut rows = Vec::new();
        while rows.len() < wanted {
            let slot = self.slot(store).await?;
            if slot.is_empty() {
                break;
            }
            rows.extend(slot);
        }
        Ok(rows)
    }
}

/// A conversation and where the list shows it.
struct Shown {
    place: (i64, String),
    conversation: Conversation,
}

impl Shown {
    fn key(&self) -> Place {
        Place { at: self.place.0, id: self.place.1.clone(), seq: 0 }
    }
}

fn passes(filter: &ConversationFilter, head: &Head) -> bool {
    let status = filter.status.is_none_or(|status| head.state == State::from(status));
    let tag = filter.tag.as_ref().is_none_or(|tag| head.tags.contains(tag));
    status && tag && filter.site.as_ref().is_none_or(|site| head.site == *site)
}

impl DynamoStore {
    /// Heads of conversations; those that are gone are missing. Without `consistent` they cost half, and are some 100 ms old at
    /// most.
    pub(super) async fn heads_of<'a>(
        &self,
        conversation_ids: impl Iterator<Item = &'a str>,
        consistent: bool,
    ) -> StoreResult<HashMap<String, Head>> {
        let keys: Vec<_> = conversation_ids.map(Key::head).collect();
        let mut heads = HashMap::new();
        for item in self.get_all(&keys, consistent).await? {
            let key = Key::of(&item)?;
            let head: Head = read(item)?;
            if let Some(id) = conversation_of(&key.pk).filter(|_| head.lives()) {
                heads.insert(id.to_owned(), head);
            }
        }
        Ok(heads)
    }

    /// What the rows of some slots show.
    async fn show(&self, rows: Vec<Row>, filter: &ConversationFilter, now: Timestamp) -> StoreResult<Vec<Shown>> {
        let heads = self.heads_of(rows.iter().map(|row| row.conversation_id.as_str()), false).await?;
        let mut shown = Vec::new();
        for Row { conversation_id: id, info } in rows {
            let Some(head) = heads.get(&id) else { continue };
            if !info.is_placed_by(&id, head) {
                // Whoever changed the head may have died before the list was told.
                self.place(&id, head).await?;
            }
            if passes(filter, head) {
                let begins = info.begins();
                let at = head.last_activity_at.0.clamp(begins, begins + SLOT - 1);
                let conversation = info.complete(head.conversation(&id, now));
                shown.push(Shown { place: (at, id), conversation });
            }
        }
        Ok(shown)
    }

    /// Those of some conversations that pass, with the particulars of one page only.
    async fn among(
        &self,
        ids: HashSet<String>,
        filter: &ConversationFilter,
        request: (&Place, usize),
        now: Timestamp,
    ) -> StoreResult<Page<Conversation>> {
        let (start, size) = request;
        let heads = self.heads_of(ids.iter().map(String::as_str), false).await?;
        let mut shown: Vec<_> = heads
            .iter()
            .filter(|(_, head)| passes(filter, head))
            .map(|(id, head)| ((head.last_activity_at.0, id.as_str()), head))
            .filter(|(place, _)| *place < (start.at, start.id.as_str()))
            .collect();
        shown.sort_unstable_by(|one, other| other.0.cmp(&one.0));
        shown.truncate(size + 1);
        let keys: Vec<_> = shown.iter().map(|((_, id), _)| Key::info(id)).collect();
        let mut infos = HashMap::new();
        for item in self.get_all(&keys, false).await? {
            infos.insert(Key::of(&item)?.pk, read::<Info>(item)?);
        }
        let items = shown.into_iter().map(|((at, id), head)| {
            let conversation = head.conversation(id, now);
            let info = infos.remove(&item::conversation(id));
            let conversation = match info {
                Some(info) => info.complete(conversation),
                None => conversation,
            };
            Shown { place: (at, id.to_owned()), conversation }
        });
        Ok(strip(page(items.collect(), size, Shown::key)))
    }
}

fn strip(page: Page<Shown>) -> Page<Conversation> {
    let items = page.items.into_iter().map(|one| one.conversation).collect();
    Page { items, next_cursor: page.next_cursor }
}

/// A page of the list.
pub(super) async fn conversations(
    store: &DynamoStore,
    filter: &ConversationFilter,
    request: &PageRequest,
    now: Timestamp,
) -> StoreResult<Page<Conversation>> {
    let Some(start) = request.key() else { return Ok(empty()) };
    let size = request.size();
    if !filter.terms.is_empty() && store.enter_all(Timestamp(i64::MAX)).await?.unfinished {
        return Ok(Page { items: Vec::new(), next_cursor: Some(start.cursor()) });
    }
    if let Some(ids) = chosen(store, filter).await? {
        return store.among(ids, filter, (&start, size), now).await;
    }
    let first = format!("{:013}#\u{10ffff}", self::start(Timestamp(start.at)));
    let states = match filter.status {
        Some(status) => vec![State::from(status)],
        None => vec![State::Open, State::Closed],
    };
    let range = |range: Range| range.between("0", &first).backwards().limit(BLOCK.min(size + 1));
    let walks = states.into_iter().map(|state| Walk::new(state, range)).collect();
    let mut walks = Walks { walks, backwards: true };
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    while found.len() <= size {
        let rows = walks.slots(store, size + 1 - found.len()).await?;
        if rows.is_empty() {
            break;
        }
        let mut shown = store.show(rows, filter, now).await?;
        shown.retain(|one| one.place < (start.at, start.id.clone()) && seen.insert(one.place.1.clone()));
        shown.sort_unstable_by(|one, other| other.place.cmp(&one.place));
        found.extend(shown);
    }
    Ok(strip(page(found, size, Shown::key)))
}

/// The conversations that a tag or words leave to choose from; `None` leaves all.
async fn chosen(store: &DynamoStore, filter: &ConversationFilter) -> StoreResult<Option<HashSet<String>>> {
    let mut chosen = None;
    if let Some(tag) = &filter.tag {
        let rows = store.all(Range::of(item::tagged(&item::text(tag)))).await?;
        let ids = rows.iter().map(|row| Ok(Key::of(row)?.sk)).collect::<StoreResult<HashSet<_>>>()?;
        chosen = Some(ids);
    }
    if !filter.terms.is_empty() {
        let mut found = store.matching_conversations(&filter.terms).await?;
        if let Some(tagged) = chosen {
            found.retain(|id| tagged.contains(id));
        }
        chosen = Some(found);
    }
    Ok(chosen)
}

/// Ids of closed conversations without activity since `before`, oldest first.
pub(super) async fn closed_before(store: &DynamoStore, before: Timestamp, limit: i64) -> StoreResult<Vec<String>> {
    let limit = usize::try_from(limit).unwrap_or(0);
    let last = format!("{:013}#\u{10ffff}", start(before));
    let range = |range: Range| range.between("0", &last).limit(BLOCK.min(limit + 1));
    let mut walks = Walks { walks: vec![Walk::new(State::Closed, range)], backwards: false };
    let filter = ConversationFilter { status: Some(Status::Closed), ..ConversationFilter::default() };
    let mut found = Vec::new();
    while found.len() < limit {
        let rows = walks.slots(store, limit - found.len()).await?;
        if rows.is_empty() {
            break;
        }
        let mut shown = store.show(rows, &filter, before).await?;
        shown.retain(|one| one.conversation.last_activity_at < before);
        shown.sort_unstable_by(|one, other| one.place.cmp(&other.place));
        found.extend(shown.into_iter().map(|one| one.place.1));
    }
    found.truncate(limit);
    Ok(found)
}
