//! The list of conversations: order, filters, pages.

use shared::model::{Conversation, Sender, Status};
use shared::search::terms;
use shared::store::{ConversationFilter, Page, Store};
use shared::time::SECOND;

use super::make::{START, activity, after, begin, begin_as, conversation, first, index, say};
use crate::stores::{Home, for_each_store};

fn names(page: Page<Conversation>) -> Vec<String> {
    page.items.into_iter().map(|one| one.visitor_name.replace(" Kaya", "")).collect()
}

/// Ada, Bob, Cem, Deniz and Ece, active in this order; Bob and Deniz closed; Cem and Deniz of the site `shop`;
/// Ada and Deniz tagged `vip`.
async fn five(store: &dyn Store) -> Vec<String> {
    let mut ids = Vec::new();
    for (n, name) in ["Ada", "Bob", "Cem", "Deniz", "Ece"].into_iter().enumerate() {
        let at = START.plus(i64::try_from(n).unwrap() * SECOND);
        let site = if matches!(name, "Cem" | "Deniz") { "shop" } else { "default" };
        let one = Conversation { site: site.into(), last_activity_at: at, ..conversation(&format!("{name} Kaya")) };
        let id = begin_as(store, one).await.conversation_id;
        if matches!(name, "Bob" | "Deniz") {
            store.set_status(&id, Status::Closed, at).await.unwrap();
        }
        if matches!(name, "Ada" | "Deniz") {
            store.add_tag(&id, "vip").await.unwrap();
        }
        ids.push(id);
    }
    ids
}

async fn listed(store: &dyn Store, filter: ConversationFilter) -> Vec<String> {
    let page = store.conversations(&filter, &first(100), START).await.unwrap();
    assert_eq!(page.next_cursor, None);
    names(page)
}

#[tokio::test]
async fn every_part_of_a_filter_must_hold() {
    for_each_store(|store| async move {
        five(&*store).await;
        let all = ConversationFilter::default;
        let open = || ConversationFilter { status: Some(Status::Open), ..all() };
        let shop = || ConversationFilter { site: Some("shop".into()), ..all() };
        let vip = || ConversationFilter { tag: Some("vip".into()), ..all() };

        assert_eq!(listed(&*store, all()).await, ["Ece", "Deniz", "Cem", "Bob", "Ada"]);
        assert_eq!(listed(&*store, open()).await, ["Ece", "Cem", "Ada"]);
        assert_eq!(listed(&*store, shop()).await, ["Deniz", "Cem"]);
        assert_eq!(listed(&*store, ConversationFilter { site: shop().site, ..open() }).await, ["Cem"]);
        assert_eq!(listed(&*store, vip()).await, ["Deniz", "Ada"]);
        assert_eq!(listed(&*store, ConversationFilter { tag: vip().tag, ..open() }).await, ["Ada"]);
        assert_eq!(listed(&*store, ConversationFilter { tag: vip().tag, ..shop() }).await, ["Deniz"]);
        assert_eq!(listed(&*store, ConversationFilter { tag: Some("none".into()), ..all() }).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn terms_are_found_in_the_name_or_in_a_message_of_the_conversation() {
    for_each_store(|store| async move {
        let ids = five(&*store).await;
        for (id, content) in
            [(&ids[0], "Where is my INVOICE?"), (&ids[4], "The invoice expired"), (&ids[4], "in Izmir")]
        {
            say(&*store, id, Sender::Visitor, content, START).await;
        }
        let with = |text: &str| ConversationFilter { terms: terms(text), ..ConversationFilter::default() };

        for _ in ["behind the index", "in the index"] {
            assert_eq!(listed(&*store, with("invoi")).await, ["Ece", "Ada"]);
            assert_eq!(listed(&*store, with("İNV İZM")).await, ["Ece"], "the terms may stand in different messages");
            assert_eq!(listed(&*store, with("ece invo")).await, ["Ece"], "or in the name");
            assert_eq!(listed(&*store, with("invoices")).await, [""; 0]);
            let tagged = ConversationFilter { tag: Some("vip".into()), ..with("invoice") };
            assert_eq!(listed(&*store, tagged).await, ["Ada"]);
            let closed = ConversationFilter { status: Some(Status::Closed), site: Some("shop".into()), ..with("kaya") };
            assert_eq!(listed(&*store, closed).await, ["Deniz"]);
            index(&*store).await;
        }
    })
    .await;
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    for_each_store(|store| async move {
        five(&*store).await;
        for filter in [
            ConversationFilter::default(),
            ConversationFilter { terms: terms("KAYA"), ..ConversationFilter::default() },
        ] {
            let mut seen = Vec::new();
            let mut request = first(2);
            loop {
                let page = store.conversations(&filter, &request, START).await.unwrap();
                let next = page.next_cursor.clone();
                seen.extend(names(page));
                let Some(next) = next else { break };
                assert!(next.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'), "{next}");
                request = after(2, Some(next));
            }
            assert_eq!(seen, ["Ece", "Deniz", "Cem", "Bob", "Ada"]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_cursor_that_no_store_made_leads_to_an_empty_page() {
    for_each_store(|store| async move {
        five(&*store).await;
        store.record(&activity("login")).await.unwrap();
        for odd in ["", "x", "????", "bm90IGEga2V5", "\0", "ç"] {
            let request = after(10, Some(odd.into()));
            let page = store.conversations(&ConversationFilter::default(), &request, START).await.unwrap();
            let found = store.search(&terms("a"), &request).await.unwrap();
            let audit = store.activity(&request).await.unwrap();
            assert!(page.items.is_empty() && found.items.is_empty() && audit.items.is_empty(), "{odd:?}");
            assert_eq!((page.next_cursor, found.next_cursor, audit.next_cursor), (None, None, None), "{odd:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn words_that_very_many_said_are_found_page_by_page() {
    for home in Home::on_sql().await {
        let store = home.open().await;
        let (ada, bob) = (begin(&*store, "Ada").await, begin(&*store, "Bob").await);
        for second in 0..1_100 {
            say(&*store, &ada, Sender::Visitor, "common", START.plus(second * SECOND)).await;
        }
        say(&*store, &bob, Sender::Visitor, "common and rare", START.plus(2_000 * SECOND)).await;
        let with = |text: &str| ConversationFilter { terms: terms(text), ..ConversationFilter::default() };

        for _ in ["behind the index", "in the index"] {
            assert_eq!(listed(&*store, with("common")).await, ["Bob", "Ada"]);
            assert_eq!(listed(&*store, with("common rare")).await, ["Bob"]);
            index(&*store).await;
        }
        drop(store);
        home.leave().await;
    }
}
