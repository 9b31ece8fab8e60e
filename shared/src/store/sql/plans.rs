//! No read that grows with the data may walk a whole table, nor sort what an index has in order.

use sqlx::{AssertSqlSafe, Row};

use super::{
    SqlOptions, SqlStore, append, connections, conversations, index, links, list, messages, outbox, search, sessions,
};
use crate::config::DatabaseUrl;

async fn plan(store: &SqlStore, statement: &str) -> String {
    let rows = sqlx::raw_sql(AssertSqlSafe(format!("explain query plan {statement}")));
    let rows = rows.fetch_all(&store.readers).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("; ")
}

async fn store() -> SqlStore {
    SqlStore::open(&DatabaseUrl::new("sqlite::memory:"), SqlOptions::default()).await.unwrap()
}

#[tokio::test]
async fn every_read_that_can_grow_uses_an_index() {
    let store = store().await;
    for statement in [
        list::BY_TAG,
        messages::BY_ID,
        messages::BY_CLIENT_ID,
        index::BLOCK_OF,
        index::BEHIND,
        search::NAMED,
        connections::AUDIENCE,
        connections::ADMINS,
        connections::VISITORS,
        connections::OF_SESSION,
        connections::COUNTS,
        outbox::BACKLOG,
        sessions::BY_TOKEN,
        conversations::ONE,
        conversations::BY_TOKEN,
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
    for statement in [
        list::BY_STATUS,
        list::BY_SITE_AND_STATUS,
        messages::OLDEST,
        messages::NEWEST,
        search::BEHIND,
        search::LISTS,
        search::WITHIN,
        outbox::DUE,
        conversations::CLOSED_BEFORE,
        links::LINKS_OF,
    ] {
        let plan = plan(&store, statement).await;
        assert!(plan.contains("SEARCH") && !plan.contains("SCAN"), "{statement}\n{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{statement}\n{plan}");
    }
}
