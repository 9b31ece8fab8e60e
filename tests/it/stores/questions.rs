//! What stories ask a database itself, past the store.

use serde_json::Value;
use shared::time::{SECOND, Timestamp};
use sqlx::{AssertSqlSafe, Connection, Row};

use super::{Home, Table};

/// Where the rows of a SQL table stand on DynamoDB.
fn partition(table: &str) -> &'static str {
    match table {
        "activity" => "ACTIVITY",
        "bucket" => "BUCKET#",
        "connection" => "N#",
        "conversation_day" | "response" => "DAY#",
        "conversation_tag" => "TAG#",
        "login_code" => "CODE#",
        "outbox" => "OUT#",
        "session" => "SESSION#",
        "session_token" => "TOKEN#",
        "ticket" => "TICKET#",
        other => panic!("where is {other}?"),
    }
}

fn number(item: &Value, name: &str) -> i64 {
    item[name]["N"].as_str().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().unwrap_or_default()
}

impl Table {
    /// What DynamoDB would show at `now` if it removed at once what has expired.
    async fn living(&self, now: Timestamp) -> Vec<Value> {
        let mut items = self.items().await;
        items.retain(|item| item["ttl"].is_null() || number(item, "ttl") * SECOND > now.0);
        items
    }

    async fn rows(&self, table: &str, now: Timestamp) -> i64 {
        let items = self.living(now).await;
        let heads = items.iter().filter(|item| text(item, "sk") == "HEAD");
        match table {
            "message" => heads.map(|head| number(head, "h")).sum(),
            "conversation" => heads.map(|_| 1).sum(),
            table => items.iter().filter(|item| text(item, "pk").starts_with(partition(table))).map(|_| 1).sum(),
        }
    }
}

impl Home {
    /// How many rows a SQL table has, or what stands for it on DynamoDB, where nothing counts that has expired.
    pub async fn rows(&self, table: &str, now: Timestamp) -> i64 {
        match self.table() {
            Some(home) => home.rows(table, now).await,
            None => self.number(&format!("select count(*) from {table}")).await,
        }
    }

    /// How many rows speak of a conversation, the trail apart.
    pub async fn traces(&self, conversation_id: &str) -> i64 {
        if let Some(table) = self.table() {
            let items = table.items().await.into_iter().filter(|item| text(item, "pk") != "ACTIVITY");
            return items.filter(|item| item.to_string().contains(conversation_id)).map(|_| 1).sum();
        }
        let mut rows = 0;
        for table in ["conversation", "conversation_tag", "conversation_day", "message", "response", "search_name"] {
            let query = format!("select count(*) from {table} where conversation_id = '{conversation_id}'");
            rows += self.number(&query).await;
        }
        rows
    }

    /// Whether a resume token is kept as it was given out.
    pub async fn keeps_token(&self, token: &str) -> bool {
        match self.table() {
            Some(table) => table.items().await.iter().any(|item| item.to_string().contains(token)),
            None => self.number(&format!("select count(*) from conversation where resume_hash = '{token}'")).await > 0,
        }
    }

    /// How often the one login code was tried.
    pub async fn tries(&self) -> i64 {
        let Some(table) = self.table() else { return self.number("select tries from login_code").await };
        let items = table.items().await;
        let code = items.iter().find(|item| text(item, "pk").starts_with("CODE#"));
        number(code.expect("a code"), "tries")
    }

    /// Ends every session of a table, as another instance would.
    pub async fn end_sessions(&self, table: &Table) {
        for item in table.items().await.iter().filter(|item| text(item, "pk").starts_with("SESSION#")) {
            table.forget(item).await;
        }
    }

    /// The one number that a query on the SQL database itself answers.
    pub async fn number(&self, query: &str) -> i64 {
        let mut connection = self.connection().await;
        let row = sqlx::query(AssertSqlSafe(query.to_owned())).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        row.get(0)
    }

    /// Runs a statement on the SQL database itself.
    pub async fn execute(&self, statement: &str) {
        let mut connection = self.connection().await;
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}
