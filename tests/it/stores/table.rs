//! A DynamoDB table for one story, made from the definition in `template.yaml`.

use futures::future::join_all;
use reqwest::Client;
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Map, Value, json};
use shared::config::DatabaseUrl;
use shared::time::{SECOND, Timestamp};
use uuid::Uuid;

const TEMPLATE: &str = include_str!("../../../template.yaml");
/// A local server wants to see a signature, and believes any.
const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                         SignedHeaders=host;x-amz-date;x-amz-target, Signature=0";

/// The most items of one `BatchWriteItem`.
const BATCH: usize = 25;

/// Speaks plain HTTP to servers of this machine.
pub fn client() -> Client {
    let tls = ClientConfig::builder_with_provider(default_provider().into()).with_safe_default_protocol_versions();
    let tls = tls.unwrap().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    Client::builder().tls_backend_preconfigured(tls).build().unwrap()
}

#[derive(Clone)]
pub struct Table {
    client: Client,
    server: String,
    name: String,
}

impl Table {
    /// A table of its own on the server that `TEST_DYNAMODB_URL` names.
    pub async fn create() -> Self {
        let table =
            Self { client: client(), server: server_url(), name: format!("parley-{}", Uuid::now_v7().simple()) };
        table.call("CreateTable", table.definition()).await;
        table
    }

    /// The template's resource, as the API asks for it.
    fn definition(&self) -> Value {
        let template: Value = serde_saphyr::from_str(TEMPLATE).expect("the template is YAML");
        let table = template["Resources"]
            .as_object()
            .and_then(|all| all.values().find(|resource| resource["Type"] == "AWS::DynamoDB::Table"));
        let properties = &table.expect("the template has a table")["Properties"];
        let mut definition: Map<String, Value> =
            ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode", "StreamSpecification"]
                .into_iter()
                .map(|name| (name.to_owned(), properties[name].clone()))
                .collect();
        definition["StreamSpecification"]["StreamEnabled"] = json!(true);
        definition.insert("TableName".into(), json!(self.name));
        definition.into()
    }

    /// What opens a store on it that waits as long as a busy machine takes.
    pub fn url(&self) -> DatabaseUrl {
        DatabaseUrl::new(format!("dynamodb://{}?endpoint={}&patience=20", self.name, self.server))
    }

    /// What opens a store on it by another way to its server.
    pub fn url_at(&self, server: &str) -> DatabaseUrl {
        DatabaseUrl::new(format!("dynamodb://{}?endpoint={server}", self.name))
    }

    /// Where its server is.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every item, as DynamoDB writes them.
    pub async fn items(&self) -> Vec<Value> {
        let (mut items, mut start) = (Vec::new(), Value::Null);
        loop {
            let mut request = json!({"TableName": self.name, "ConsistentRead": true});
            if !start.is_null() {
                request["ExclusiveStartKey"] = start;
            }
            let mut page = self.call("Scan", request).await;
            items.append(page["Items"].as_array_mut().expect("items"));
            start = page["LastEvaluatedKey"].take();
            if start.is_null() {
                return items;
            }
        }
    }

    /// Puts an item there, in place of the one with its key.
    pub async fn put(&self, item: &Value) {
        self.call("PutItem", json!({"TableName": self.name, "Item": item})).await;
    }

    /// Puts items there that have different keys.
    pub async fn put_all(&self, items: &[Value]) {
        let batches = items.chunks(BATCH).map(async |batch| {
            let writes: Vec<_> = batch.iter().map(|item| json!({"PutRequest": {"Item": item}})).collect();
            let answer = self.call("BatchWriteItem", json!({"RequestItems": {&self.name: writes}})).await;
            assert_eq!(answer["UnprocessedItems"], json!({}));
        });
        join_all(batches).await;
    }

    /// Removes one item.
    pub async fn forget(&self, item: &Value) {
        let key = json!({"pk": item["pk"], "sk": item["sk"]});
        self.call("DeleteItem", json!({"TableName": self.name, "Key": key})).await;
    }

    /// Removes what has expired, as DynamoDB does by itself one day. Answers how many items.
    pub async fn expire(&self, now: Timestamp) -> i64 {
        let mut expired = 0;
        for item in self.items().await {
            let ttl = item["ttl"]["N"].as_str().and_then(|seconds| seconds.parse::<i64>().ok());
            if ttl.is_some_and(|seconds| seconds * SECOND <= now.0) {
                self.forget(&item).await;
                expired += 1;
            }
        }
        expired
    }

    /// Takes the whole table away.
    pub async fn remove(&self) {
        self.call("DeleteTable", json!({"TableName": self.name})).await;
    }

    async fn call(&self, action: &str, body: Value) -> Value {
        let request = self.client.post(&self.server).body(body.to_string());
        let request = request
            .header("x-amz-target", format!("DynamoDB_20120810.{action}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", SIGNATURE);
        let answer = request.send().await.expect("the DynamoDB server answers");
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{action}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "the harness is told where its server is")]
fn server_url() -> String {
    std::env::var("TEST_DYNAMODB_URL")
        .expect("TEST_DYNAMODB_URL must name a DynamoDB server to test on; `make test` starts one and sets it")
}
