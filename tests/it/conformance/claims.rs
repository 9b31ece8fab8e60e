//! Who of the team has taken a conversation on.

use shared::event::{EventKind, Lane};
use shared::model::Claim;
use shared::time::SECOND;

use super::make::{START, begin, conversation, head, race};
use crate::stores::{Home, for_each_store};

#[tokio::test]
async fn a_claim_stands_until_it_is_released() {
    for_each_store(|store| async move {
        let id = begin(&*store, "Ada").await;
        let (now, later) = (START.plus(SECOND), START.plus(2 * SECOND));

        let (claimed, changed) = store.claim(&id, "Oya", now).await.unwrap().unwrap();

        assert!(changed);
        assert_eq!(claimed.claim, Some(Claim { name: "Oya".into(), at: now }));
        assert_eq!(claimed, head(&*store, &id, now).await, "with all that is known of it");
        assert_eq!(claimed.country, conversation("Ada").country);
        assert_eq!(claimed.last_activity_at, START, "a claim moves nothing in the list");
        let (again, changed) = store.claim(&id, "Oya", later).await.unwrap().unwrap();
        assert!(!changed && again.claim == claimed.claim);
        let (other, changed) = store.claim(&id, "Ece", later).await.unwrap().unwrap();
        assert!(!changed && other.claim == claimed.claim);
        let (released, changed) = store.release(&id, later).await.unwrap().unwrap();
        assert!(changed && released.claim.is_none());
        assert!(!store.release(&id, later).await.unwrap().unwrap().1);
        assert!(store.claim(&id, "Ece", later).await.unwrap().unwrap().1);
        assert_eq!(store.claim("nobody", "Oya", now).await.unwrap(), None);
        assert_eq!(store.release("nobody", now).await.unwrap(), None);
        let events = store.due(Lane::Telegram, later, 10).await.unwrap();
        let kinds: Vec<_> = events.iter().map(|one| one.event.kind).skip(1).collect();
        let expected =
            [EventKind::ConversationClaimed, EventKind::ConversationReleased, EventKind::ConversationClaimed];
        assert_eq!(kinds, expected, "one for each change");
        assert_eq!(store.backlog(Lane::Files).await.unwrap().0, 0, "files are none of it");
    })
    .await;
}

#[tokio::test]
async fn of_a_hundred_claims_at_once_the_first_wins() {
    for home in Home::lasting().await {
        let (one, two) = (home.open().await, home.open().await);
        let id = begin(&*one, "Ada").await;
        let names: Vec<_> = (0..100).map(|n| format!("operator {n}")).collect();

        let racers = names.iter().enumerate().map(|(n, name)| {
            let store = if n % 2 == 0 { &one } else { &two };
            store.claim(&id, name, START)
        });
        let answers: Vec<_> = race(racers).await.into_iter().map(|one| one.unwrap().unwrap()).collect();

        let winner = head(&*one, &id, START).await.claim.unwrap().name;
        let changes: Vec<_> = answers.iter().zip(&names).filter(|((_, changed), _)| *changed).collect();
        assert_eq!(changes.len(), 1);
        assert_eq!(*changes[0].1, winner);
        assert!(answers.iter().all(|(seen, _)| seen.claim.as_ref().is_some_and(|claim| claim.name == winner)));
        let events = one.due(Lane::Telegram, START, 200).await.unwrap();
        assert_eq!(events.iter().filter(|one| one.event.kind == EventKind::ConversationClaimed).count(), 1);
        drop((one, two));
        home.leave().await;
    }
}
