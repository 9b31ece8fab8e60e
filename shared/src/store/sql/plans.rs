//! No read that grows with the data may walk a whole table, nor sort what an index has in order.

use super::db::query;
use super::rows::string;
use super::{SqlOptions, SqlStore, append, conversations, index, links, list, messages, outbox, search, sessions};
use crate::config::DatabaseUrl;

async fn plan(store: &SqlStore, statement: &str) -> String {
    let statement: &'static str = format!("explain query plan {statement}").leak();
    let values = (0..9).fold(query(statement), |query, _| query.bind(None::<i64>));
    let rows = values.fetch_all(&store.readers).await.unwrap();
    rows.iter().map(|row| string(row, "detail").unwrap()).collect::<Vec<_>>().join("; ")
}

async fn store() -> SqlStore {
    SqlStore::open(&DatabaseUrl::new("sqlite::memory:"), SqlOptions::default()).await.unwrap()
}

#[tokio::test]
async fn every_read_that_can_grow_uses_an_index() {
    let store = store().await;
    for statement in [
        list::BY_TAG,
        messages::OLDEST.sqlite,
        messages::NEWEST.sqlite,
        messages::BY_CLIENT_ID,
        index::BLOCK_OF,
        index::BEHIND,
        search::NAMED,
        outbox::BACKLOG,
        sessions::BY_TOKEN,
        conversations::ONE,
        conversations::BY_TOKEN,
        conversations::DELETE_MESSAGES.sqlite,
        append::BEFORE.sqlite,
    ] {
        let plan = plan(&store, statement).await;
        assert!(plan.contains("USING") && !plan.contains("SCAN c") && !plan.contains("SCAN m"), "{statement}\n{plan}");
        assert!(!plan.contains("SCAN s") && !plan.contains("SCAN o"), "{statement}\n{plan}");
    }
}

#[tokio::test]
async fn every_page_comes_from_an_index_in_its_order() {
    let store = store().await;
    for statement in [search::BEHIND, search::LISTS, outbox::DUE, links::LINKS_OF] {
        let plan = plan(&store, statement).await;
        assert!(plan.contains("SEARCH") && !plan.contains("SCAN"), "{statement}\n{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{statement}\n{plan}");
    }
}

#[tokio::test]
async fn the_list_sorts_no_more_than_a_minute_at_a_time() {
    let store = store().await;
    for statement in [list::BY_STATUS, list::BY_SITE_AND_STATUS, conversations::CLOSED_BEFORE] {
        let plan = plan(&store, statement).await;
        assert!(plan.contains("SEARCH conversation USING INDEX conversation_by_"), "{statement}\n{plan}");
        assert!(plan.contains("FOR LAST 2 TERMS OF ORDER BY"), "{statement}\n{plan}");
    }
}
