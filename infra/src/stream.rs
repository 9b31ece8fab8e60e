//! The stream of a table on a DynamoDB-compatible server of this machine, read by plain HTTP: what a Lambda event source
//! mapping reads on AWS. Its requests carry the form of a signature, not a signature, so AWS itself would refuse them.

use std::collections::HashSet;
use std::time::Duration;

use aws_lambda_events::dynamodb::EventRecord;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::{Error, Result, outgoing};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(10);
/// So many records are asked for at once; the server's own limit is 1,000.
const RECORDS: u32 = 100;
/// Local servers want one, and compare it with nothing.
const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                         SignedHeaders=host;x-amz-date;x-amz-target, Signature=0";
const SIGNED_AT: &str = "20260101T000000Z";

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Start {
    /// With the oldest record that is kept.
    TrimHorizon,
    /// With what happens from now on.
    Latest,
}

/// Reads one table's stream: each record once, those of one item in their order.
#[derive(Debug)]
pub struct StreamReader {
    server: Server,
    arn: String,
    shards: Vec<Shard>,
}

#[derive(Debug)]
struct Server {
    http: reqwest::Client,
    endpoint: String,
}

#[derive(Debug)]
struct Shard {
    id: String,
    parent: Option<String>,
    start: Start,
    /// Where to read on; absent before the first read, and when the server has forgotten the place.
    iterator: Option<String>,
    /// The newest record that was read.
    last: Option<String>,
    ended: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Streams {
    #[serde(default)]
    streams: Vec<StreamName>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamName {
    stream_arn: String,
    #[serde(default)]
    stream_label: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    stream_description: Description,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    #[serde(default)]
    shards: Vec<ShardName>,
    last_evaluated_shard_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShardName {
    shard_id: String,
    parent_shard_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Place {
    shard_iterator: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Records {
    #[serde(default)]
    records: Vec<EventRecord>,
    next_shard_iterator: Option<String>,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the stream's server does not answer")]
    NoAnswer(#[from] reqwest::Error),
    #[error("the stream's server answers what is no answer")]
    NotUnderstood(#[from] serde_json::Error),
    #[error("the stream's server refuses {operation} with {status} {name}")]
    Refused { operation: &'static str, status: u16, name: String },
}

impl Failure {
    /// An iterator is good for some minutes only.
    fn loses_the_place(&self) -> bool {
        matches!(self, Self::Refused { name, .. } if name == "ExpiredIteratorException")
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Unavailable(failure.into())
    }
}

impl StreamReader {
    /// Finds the newest stream of `table` on the server at `endpoint`.
    pub async fn open(endpoint: &str, table: &str, start: Start) -> Result<Self> {
        let http = outgoing::client(CONNECT_TIMEOUT, TIMEOUT)?.no_proxy().build().map_err(Error::internal)?;
        let server = Server { http, endpoint: endpoint.trim_end_matches('/').to_owned() };
        let found: Streams = server.call("ListStreams", &json!({"TableName": table})).await?;
        let newest = found.streams.into_iter().max_by(|a, b| a.stream_label.cmp(&b.stream_label));
        let none = || Error::Unavailable(format!("the table {table} has no stream").into());
        let arn = newest.ok_or_else(none)?.stream_arn;
        let mut reader = Self { server, arn, shards: Vec::new() };
        reader.find_shards(start).await?;
        for shard in &mut reader.shards {
            shard.iterator = Some(reader.server.place(&reader.arn, shard).await?);
        }
        Ok(reader)
    }

    /// What happened since the last call, as far as it is known now; nothing when nothing did. After an error the next call
    /// reads on from the same place.
    pub async fn next(&mut self) -> Result<Vec<EventRecord>> {
        if self.shards.iter().all(|shard| shard.ended) {
            self.find_shards(Start::TrimHorizon).await?;
        }
        let open: HashSet<String> = self.shards.iter().filter(|s| !s.ended).map(|s| s.id.clone()).collect();
        let mut read = Vec::new();
        for shard in self.shards.iter_mut().filter(|shard| !shard.ended) {
            // An item's records in a child come after those in the parent.
            if shard.parent.as_ref().is_some_and(|parent| open.contains(parent)) {
                continue;
            }
            match self.server.read(&self.arn, shard).await {
                Ok(records) => read.extend(records),
                // What other shards gave is not thrown away; this one fails again next time if it must.
                Err(error) if read.is_empty() => return Err(error.into()),
                Err(_) => break,
            }
        }
        if self.shards.iter().any(|shard| shard.ended && open.contains(&shard.id)) {
            self.find_shards(Start::TrimHorizon).await?;
        }
        Ok(read)
    }

    /// Adds the shards that are not known yet. One that comes later is read from its beginning.
    async fn find_shards(&mut self, start: Start) -> Result<()> {
        let mut after = Value::Null;
        loop {
            let asked = json!({"StreamArn": self.arn, "ExclusiveStartShardId": after});
            let asked = if after.is_null() { json!({"StreamArn": self.arn}) } else { asked };
            let Described { stream_description } = self.server.call("DescribeStream", &asked).await?;
            for ShardName { shard_id, parent_shard_id } in stream_description.shards {
                if self.shards.iter().all(|shard| shard.id != shard_id) {
                    let shard = Shard {
                        id: shard_id,
                        parent: parent_shard_id,
                        start,
                        iterator: None,
                        last: None,
                        ended: false,
                    };
                    self.shards.push(shard);
                }
            }
            match stream_description.last_evaluated_shard_id {
                Some(last) => after = last.into(),
                None => return Ok(()),
            }
        }
    }
}

impl Server {
    /// Reads on in a shard.
    async fn read(&self, arn: &str, shard: &mut Shard) -> std::result::Result<Vec<EventRecord>, Failure> {
        let iterator = match &shard.iterator {
            Some(iterator) => iterator.clone(),
            None => self.place(arn, shard).await?,
        };
        let asked = json!({"ShardIterator": iterator, "Limit": RECORDS});
        let answer: Records = match self.call("GetRecords", &asked).await {
            Ok(answer) => answer,
            Err(failure) => {
                if failure.loses_the_place() {
                    shard.iterator = None;
                }
                return Err(failure);
            }
        };
        if let Some(last) = answer.records.last() {
            shard.last.clone_from(&last.change.sequence_number);
        }
        shard.ended = answer.next_shard_iterator.is_none();
        shard.iterator = answer.next_shard_iterator;
        Ok(answer.records)
    }

    /// An iterator behind the last record that was read, or where reading begins.
    async fn place(&self, arn: &str, shard: &Shard) -> std::result::Result<String, Failure> {
        let asked = match &shard.last {
            Some(last) => json!({"StreamArn": arn, "ShardId": shard.id,
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": last}),
            None => json!({"StreamArn": arn, "ShardId": shard.id, "ShardIteratorType": shard.start}),
        };
        let answer: Place = self.call("GetShardIterator", &asked).await?;
        Ok(answer.shard_iterator)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        asked: &Value,
    ) -> std::result::Result<T, Failure> {
        let request = self
            .http
            .post(&self.endpoint)
            .header("x-amz-target", format!("DynamoDBStreams_20120810.{operation}"))
            .header("x-amz-date", SIGNED_AT)
            .header(AUTHORIZATION, SIGNATURE)
            .header(CONTENT_TYPE, "application/x-amz-json-1.0")
            .body(asked.to_string());
        let response = request.send().await?;
        let status = response.status();
        let bytes = response.bytes().await?;
        if status.is_success() {
            return Ok(serde_json::from_slice(&bytes)?);
        }
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let name = body["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default().to_owned();
        Err(Failure::Refused { operation, status: status.as_u16(), name })
    }
}
