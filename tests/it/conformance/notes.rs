//! Notes among the team.

use shared::event::{EventKind, Lane};
use shared::model::Note;
use shared::time::SECOND;

use super::make::{START, begin, head, note, race};
use crate::stores::{Home, for_each_store};

#[tokio::test]
async fn a_note_is_kept_once_with_every_part() {
    for_each_store(|store| async move {
        let (id, other) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        let first = note(&id, "n-1", "line\n\ttwo 🙂 ' \" ; --");

        let (kept, added) = store.add_note(&first).await.unwrap().unwrap();

        assert!(added);
        assert_eq!(kept, Note { seq: 1, ..first.clone() });
        let again = Note { content: "something else".into(), created_at: START.plus(SECOND), ..first.clone() };
        assert_eq!(store.add_note(&again).await.unwrap(), Some((kept.clone(), false)), "the first stands");
        let elsewhere = store.add_note(&note(&other, "n-1", "Bob's")).await.unwrap().unwrap();
        assert_eq!((elsewhere.0.seq, elsewhere.1), (1, true));
        let (second, _) = store.add_note(&note(&id, "n-2", "two")).await.unwrap().unwrap();
        assert_eq!(store.notes(&id).await.unwrap(), [kept, second]);
        assert_eq!(store.notes("nobody").await.unwrap(), []);
        assert_eq!(store.add_note(&note("nobody", "n-1", "x")).await.unwrap(), None);
        assert_eq!(head(&*store, &id, START).await.head_seq, 0, "a note is no message");
        let events = store.due(Lane::Telegram, START.plus(SECOND), 10).await.unwrap();
        let of_ada = events.iter().filter(|one| one.event.conversation_id == id);
        let told: Vec<_> = of_ada.map(|one| (one.event.kind, one.event.seq)).skip(1).collect();
        assert_eq!(told, [(EventKind::NoteAdded, 1), (EventKind::NoteAdded, 2)]);
    })
    .await;
}

#[tokio::test]
async fn the_newest_hundred_notes_are_told_oldest_first() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        for number in 1..=103 {
            store.add_note(&note(&id, &format!("n{number}"), &format!("note {number}"))).await.unwrap();
        }

        let notes = store.notes(&id).await.unwrap();

        assert!(notes.iter().map(|one| one.seq).eq(4..=103));
        assert_eq!(notes[99].content, "note 103");
    })
    .await;
}

#[tokio::test]
async fn racing_notes_are_dense_and_each_stands_once() {
    for home in Home::lasting().await {
        let (one, two) = (home.open().await, home.open().await);
        let id = begin(&*one, "Ada").await;
        // Each of fifty is added twice, by two instances at once.
        let notes: Vec<_> = (0..100).map(|n| note(&id, &format!("n{}", n / 2), &format!("by {n}"))).collect();

        let racers = notes.iter().enumerate().map(|(n, note)| {
            let store = if n % 2 == 0 { &one } else { &two };
            store.add_note(note)
        });
        let answers: Vec<_> = race(racers).await.into_iter().map(|one| one.unwrap().unwrap()).collect();

        assert_eq!(answers.iter().filter(|(_, added)| *added).count(), 50);
        assert!(answers.chunks(2).all(|twins| twins[0].0 == twins[1].0), "both were told of the same note");
        let kept = one.notes(&id).await.unwrap();
        assert!(kept.iter().map(|one| one.seq).eq(1..=50));
        let events = one.due(Lane::Telegram, START, 200).await.unwrap();
        let told = events.iter().filter(|one| one.event.kind == EventKind::NoteAdded).map(|one| one.event.seq);
        assert!(told.eq(1..=50), "one event for each, in order");
        drop((one, two));
        home.leave().await;
    }
}
