//! A bad day between a store and its server: calls that are throttled, in conflict, failing, late, or done without an answer.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::table::client;

const PREFIX: &str = "com.amazonaws.dynamodb.v20120810#";

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Throttled,
    InConflict,
    Failed,
    /// It was done, and a failure is told.
    DoneAndFailed,
    /// It was done, and nothing is told.
    DoneAndLost,
    Late,
    Fair,
}

/// A way to the server through a storm. The same seed brings the same weather.
pub struct Storm {
    url: String,
    weather: Arc<Weather>,
    serving: JoinHandle<()>,
}

struct Weather {
    client: Client,
    server: String,
    random: Mutex<u64>,
    calm: AtomicBool,
    seen: Mutex<BTreeMap<Fate, u32>>,
    /// By their tokens, the transactions whose first answer was lost; without these, any call may be hit.
    lost: Option<Mutex<HashSet<String>>>,
}

impl Weather {
    /// splitmix64.
    fn random(&self) -> u64 {
        let mut state = self.random.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fate(&self, operation: &str, body: &[u8]) -> Fate {
        if let Some(lost) = &self.lost {
            let asked: Value = serde_json::from_slice(body).unwrap_or_default();
            let token = asked["ClientRequestToken"].as_str().unwrap_or_default().to_owned();
            let hit = operation == "TransactWriteItems" && lost.lock().unwrap().insert(token);
            return if hit { Fate::DoneAndLost } else { Fate::Fair };
        }
        if self.calm.load(Ordering::Relaxed) {
            return Fate::Fair;
        }
        let fate = match self.random() % 100 {
            0..30 => Fate::Throttled,
            30..38 => Fate::InConflict,
            38..42 => Fate::Failed,
            42..47 => Fate::DoneAndFailed,
            47..52 => Fate::DoneAndLost,
            52..62 => Fate::Late,
            _ => Fate::Fair,
        };
        *self.seen.lock().unwrap().entry(fate).or_default() += 1;
        fate
    }

    async fn meet(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let fate = self.fate(&operation, &body);
        match fate {
            Fate::Throttled if self.random().is_multiple_of(2) => return Ok(refusal(400, "ThrottlingException")),
            Fate::Throttled => return Ok(refusal(400, "ProvisionedThroughputExceededException")),
            Fate::InConflict if operation == "TransactWriteItems" => return Ok(cancelled(&body)),
            Fate::InConflict if ["PutItem", "UpdateItem", "DeleteItem"].contains(&operation.as_str()) => {
                return Ok(refusal(400, "TransactionConflictException"));
            }
            Fate::Failed => return Ok(refusal(500, "InternalServerError")),
            Fate::Late => tokio::time::sleep(Duration::from_millis(self.random() % 50)).await,
            _ => {}
        }
        let asked = self.client.post(&self.server).headers(head.headers).body(body);
        let answer = asked.send().await.map_err(io::Error::other)?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(io::Error::other)?;
        match fate {
            Fate::DoneAndFailed => Ok(refusal(500, "InternalServerError")),
            // hyper closes the connection.
            Fate::DoneAndLost => Err(io::Error::other("the answer is lost")),
            _ => Ok(response(status.as_u16(), bytes)),
        }
    }
}

fn response(status: u16, body: Bytes) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    response.body(Full::new(body)).unwrap()
}

fn refusal(status: u16, code: &str) -> Response<Full<Bytes>> {
    let body = json!({"__type": format!("{PREFIX}{code}"), "message": "a bad day"});
    response(status, body.to_string().into())
}

/// Somebody else writes to the first item of a transaction.
fn cancelled(asked: &[u8]) -> Response<Full<Bytes>> {
    let asked: Value = serde_json::from_slice(asked).unwrap_or_default();
    let parts = asked["TransactItems"].as_array().map_or(1, Vec::len);
    let reason = |number: usize| json!({"Code": if number == 0 { "TransactionConflict" } else { "None" }});
    let reasons: Vec<_> = (0..parts).map(reason).collect();
    let code = format!("{PREFIX}TransactionCanceledException");
    let body = json!({"__type": code, "Message": "Transaction cancelled", "CancellationReasons": reasons});
    response(400, body.to_string().into())
}

impl Storm {
    /// Begins before `server`.
    pub async fn before(server: &str, seed: u64) -> Self {
        Self::begin(server, seed, None).await
    }

    /// Loses the first answer to each transaction, and nothing else.
    pub async fn of_lost_answers(server: &str) -> Self {
        Self::begin(server, 0, Some(Mutex::default())).await
    }

    async fn begin(server: &str, seed: u64, lost: Option<Mutex<HashSet<String>>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let weather = Arc::new(Weather {
            client: client(),
            server: server.to_owned(),
            random: Mutex::new(seed),
            calm: AtomicBool::new(false),
            seen: Mutex::default(),
            lost,
        });
        let serving = tokio::spawn(serve(listener, weather.clone()));
        Self { url, weather, serving }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it; the way stays open.
    pub fn calm(&self) {
        self.weather.calm.store(true, Ordering::Relaxed);
        let seen = self.weather.seen.lock().unwrap();
        assert!(seen.len() > 3, "a storm: {seen:?}");
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, weather: Arc<Weather>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let weather = weather.clone();
        let service = service_fn(move |request| {
            let weather = weather.clone();
            async move { weather.meet(request).await }
        });
        connections.spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
