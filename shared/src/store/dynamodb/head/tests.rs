//! What a head becomes, change after change, without a table.

use super::super::archive::Aside;
use super::super::codec::Kept;
use super::super::item::{Bytes, Key, read, size};
use super::{Head, MARKS, TAIL};
use crate::event::EventKind;
use crate::model::{Conversation, File, Message, MessageType, Reader, Sender, Status, Via};
use crate::rate_limit::Rate;
use crate::store::{NewConversation, Taken};
use crate::time::{DAY, SECOND, Timestamp};

const START: Timestamp = Timestamp(1_795_299_063_417);
const ID: &str = "1b4e28ba-2fa1-41d2-883f-0016d3cca427";

fn begun() -> Head {
    let conversation = Conversation {
        conversation_id: ID.into(),
        site: "default".into(),
        visitor_name: "Ada".into(),
        locale: None,
        page_url: None,
        referrer: None,
        user_agent: None,
        country: None,
        address: None,
        status: Status::Open,
        created_at: START,
        last_activity_at: START,
        last_message: None,
        head_seq: 0,
        visitor_read: 0,
        admin_read: 0,
        waiting_since: None,
        tags: Vec::new(),
        claim: None,
        visitor_chat_id: None,
        online: false,
    };
    Head::begin(&NewConversation { conversation, resume_hash: crate::id::Secret::presented("token").hash() })
}

fn message(number: i64, sender: Sender, content: &str, at: Timestamp) -> Message {
    Message {
        conversation_id: ID.into(),
        id: String::new(),
        seq: 0,
        client_id: uuid::Uuid::from_u128(u128::from(number.cast_unsigned())).to_string(),
        sender,
        via: Via::Web,
        author: "Oya".into(),
        message_type: MessageType::Text,
        content: content.into(),
        created_at: at,
        edited_at: None,
        file: None,
        reaction: None,
    }
}

fn writer(number: u8) -> Bytes {
    Bytes(vec![number; 6])
}

/// The head after another message, and what was put aside for it.
fn after(head: &Head, one: &Message) -> (Head, Aside) {
    let mut next = head.clone().next(writer(7));
    let (_, aside, _) = next.append_in_room(one).unwrap();
    (next, aside)
}

#[test]
fn every_message_stands_in_the_head_or_was_put_aside_and_the_head_stays_under_one_unit() {
    let mut head = begun();
    head.conns = (0..2).map(|n| (format!("L0SM9cOFvHcCIhw{n}"), START.0)).collect();
    let (mut archived, mut unmarked) = (Vec::new(), 0);
    for number in 1..=600 {
        let length = usize::try_from(number * 37 % 300).unwrap();
        let sender = if number % 3 == 0 { Sender::Admin } else { Sender::Visitor };
        let one = message(number, sender, &"x".repeat(length), START.plus(number * SECOND));

        let (next, aside) = after(&head, &one);

        if let Some(archive) = &aside.archive {
            assert_eq!(archive.first, i64::try_from(archived.len()).unwrap() + 1, "without a gap");
            assert_eq!(archive.rev, next.rev);
            archived.extend(archive.messages.clone());
        }
        if let Some((from, to)) = aside.unmarked {
            assert_eq!(from, unmarked + 1, "no mark goes without its place");
            unmarked = to;
        }
        let all: Vec<Kept> = archived.iter().chain(&next.tail).cloned().collect();
        assert_eq!(all.len(), usize::try_from(next.head_seq).unwrap());
        assert_eq!(all.last(), Some(&Kept::new(&one)));
        let (marks, wanted) = (next.marks.0.len() / 2, next.archived - unmarked);
        assert!(marks <= MARKS && i64::try_from(marks).unwrap() == wanted, "{marks} marks, {wanted} wanted");
        assert!(next.tail.len() <= TAIL);
        let bytes = size(&Key::head(ID).item(&next).unwrap());
        assert!(bytes <= 1_024 || next.tail.len() == 1, "{bytes} bytes with {} messages", next.tail.len());
        head = next;
    }
}

#[test]
fn the_marks_tell_where_archive_items_begin() {
    let (mut head, mut items) = (begun(), Vec::new());
    for number in 1..=300 {
        let length = usize::try_from(number * 37 % 300).unwrap();
        let (next, aside) = after(&head, &message(number, Sender::Visitor, &"x".repeat(length), START));
        items.extend(aside.archive.map(|archive| archive.first));
        head = next;
    }

    let marked = head.archived + 1 - i64::try_from(MARKS).unwrap();
    let begins = |seq| items.iter().rev().find(|first| **first <= seq).copied();
    for seq in 1..=head.head_seq {
        let known = begins(seq).filter(|first| *first >= marked);
        assert_eq!(head.item_begins(seq), known, "{seq}");
    }
    assert!(items.len() > 50, "{items:?}");
}

#[test]
fn a_day_that_ends_is_put_aside_with_all_that_was_counted() {
    let mut head = begun();
    let mut parts = Vec::new();
    for (number, sender, at) in [
        (1, Sender::Visitor, 0),
        (2, Sender::Admin, 20 * SECOND),
        (3, Sender::Visitor, 30 * SECOND),
        (4, Sender::System, DAY),
        (5, Sender::Admin, DAY),
        (6, Sender::Visitor, 2 * DAY),
    ] {
        let (next, aside) = after(&head, &message(number, sender, "x", START.plus(at)));
        parts.extend(aside.counts);
        head = next;
    }

    let told: Vec<_> = parts
        .iter()
        .chain(&head.counts)
        .map(|one| (one.day - START.day(), one.since, one.visitor, one.admin, one.responses.clone(), one.has_first))
        .collect();

    assert_eq!(
        told,
        [
            (0, 1, 2, 1, vec![20 * SECOND], true),
            (1, 5, 0, 1, vec![DAY - 30 * SECOND], false),
            (2, 6, 1, 0, Vec::new(), false)
        ]
    );
}

#[test]
fn a_head_is_read_as_it_was_written() {
    let mut head = begun().next(writer(1));
    let mut file = message(1, Sender::Admin, "🙂 \n", START);
    file.via = Via::Telegram;
    file.message_type = MessageType::Image;
    file.file = Some(File {
        name: "a.png".into(),
        size: 7,
        mime: "image/png".into(),
        url: "/f/1".into(),
        album: Some("a1".into()),
    });
    head.append(&message(9, Sender::Visitor, "", START));
    head.append(&file);
    head.edit(1, "edited", START.plus(SECOND));
    head.mark_read(Reader::Visitor, 2);
    head.add_tag("vip");
    head.react(2, Some("👍"));
    head.take_on("Oya", START);
    (head.visitor_chat, head.notes) = (Some(-7), 3);
    head.take(Rate { burst: 2, interval_ms: 1_000 }, START);
    head.conns.insert("L0SM9cOFvHcCIhw=".into(), START.0);

    let item = Key::head(ID).item(&head).unwrap();

    assert_eq!(read::<Head>(item).unwrap(), head);
}

#[test]
fn a_client_id_comes_back_as_it_was_whatever_it_looks_like() {
    for client_id in [
        "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
        "1B4E28BA-2FA1-41D2-883F-0016D3CCA427",
        "1b4e28ba2fa141d2883f0016d3cca427",
        "x",
        "a-b_c",
    ] {
        let mut one = message(1, Sender::Visitor, "hello", START);
        one.client_id = client_id.into();
        let (head, _) = after(&begun(), &one);

        let item = Key::head(ID).item(&head).unwrap();

        let head: Head = read(item).unwrap();
        assert_eq!(head.message(ID, 1).unwrap().client_id, client_id);
        assert_eq!(head.in_tail(client_id), Some(1));
    }
}

#[test]
fn a_bucket_gives_what_it_has_and_a_clock_that_steps_back_gives_nothing_more() {
    let rate = Rate { burst: 2, interval_ms: 1_000 };
    let denied = |retry_after_ms| Taken::Denied { retry_after_ms };
    let mut head = begun();
    for (at, expected) in [
        (0, Taken::Granted),
        (0, Taken::Granted),
        (0, denied(1_000)),
        (400, denied(600)),
        (1_000, Taken::Granted),
        (1_000, denied(1_000)),
        (-60_000, denied(1_000)),
        (-59_000, Taken::Granted),
        (-59_000, denied(1_000)),
        (9_000, Taken::Granted),
        (9_000, Taken::Granted),
        (9_000, denied(1_000)),
    ] {
        assert_eq!(head.take(rate, START.plus(at)), expected, "at {at}");
    }
}

#[test]
fn a_change_knows_its_last_writers_and_only_an_event_says_that_it_is_one() {
    let mut head = begun();
    for number in 1..=4 {
        head = head.next(writer(number));
    }
    let mut closed = head.clone().next(writer(5));

    assert!(closed.set_status(Status::Closed, START.plus(-SECOND)));

    assert!([5, 4, 3].into_iter().all(|number| closed.was_written_by(&writer(number))));
    assert!(!closed.was_written_by(&writer(2)));
    assert_eq!((head.is_event, head.kind), (0, None));
    assert_eq!((closed.is_event, closed.kind), (1, Some(EventKind::ConversationClosed)));
    assert_eq!((closed.event_seq, closed.event_at), (2, START), "its time never goes back");
    assert_eq!(closed.rev, 6);
}
