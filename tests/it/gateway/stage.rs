//! A gateway on a free port, with scripted functions and a clock that the test turns.

use std::future::pending;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayV2httpRequest, ApiGatewayWebsocketProxyRequest};
use aws_lambda_events::dynamodb;
use aws_lambda_events::encodings::Body as EventBody;
use aws_lambda_events::streams::DynamoDbEventResponse;
use futures::future::BoxFuture;
use futures::{SinkExt, StreamExt};
use gateway::{Failure, Faults, Functions, Gateway, GatewayOptions, Running};
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Request, RequestExt, Response};
use serde_json::{Value, json};
use shared::config::{Config, Place};
use shared::connections::{Connections, Frame, Sent};
use shared::time::{ManualClock, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::stores::Home;

/// Nothing here takes longer on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// Functions that do what the query or the frame says, and remember what they were called with.
pub struct Script {
    events: Mutex<Vec<(String, ApiGatewayWebsocketProxyRequest)>>,
    connections: OnceLock<Arc<dyn Connections>>,
    /// `?gate` and the frame `wait` wait for a permit.
    pub gate: Semaphore,
    /// What a push inside `$connect` was answered.
    pub early: Mutex<Option<Sent>>,
}

impl Script {
    pub fn events(&self, function: &str) -> Vec<ApiGatewayWebsocketProxyRequest> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|(name, _)| name == function).map(|(_, event)| event.clone()).collect()
    }

    pub async fn push(&self, connection_id: &str, text: &str) -> Sent {
        self.connections.get().unwrap().send(connection_id, &Frame::new(&text).unwrap()).await
    }

    async fn connect(&self, event: &ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse {
        let asked = |name: &str| event.query_string_parameters.first(name).is_some();
        let id = event.request_context.connection_id.clone().unwrap();
        let mut response = ApiGatewayProxyResponse::default();
        response.status_code = 200;
        if asked("gate") {
            self.gate.acquire().await.unwrap().forget();
        }
        if asked("push") {
            let sent = self.push(&id, "early").await;
            *self.early.lock().unwrap() = Some(sent);
        }
        if asked("refuse") {
            response.status_code = 403;
            response.headers.insert("x-why", "origin".parse().unwrap());
            response.body = Some(EventBody::Text(r#"{"error":"origin_not_allowed"}"#.into()));
        }
        if event.headers.contains_key("sec-websocket-protocol") {
            response.headers.insert("Sec-WebSocket-Protocol", "support.v1".parse().unwrap());
        }
        response
    }

    async fn message(&self, event: &ApiGatewayWebsocketProxyRequest) {
        let id = event.request_context.connection_id.clone().unwrap();
        let body = event.body.clone().unwrap();
        match body.as_str() {
            "panic" => panic!("as the frame said"),
            "hang" => pending().await,
            "wait" => self.gate.acquire().await.unwrap().forget(),
            _ => {}
        }
        self.push(&id, &body).await;
    }
}

#[async_trait]
impl Functions for Script {
    fn socket<'a>(
        &'a self,
        function: &'a str,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> BoxFuture<'a, Result<ApiGatewayProxyResponse, Failure>> {
        self.events.lock().unwrap().push((function.into(), event.clone()));
        Box::pin(async move {
            match function {
                "connect" => return Ok(self.connect(&event).await),
                "message" => self.message(&event).await,
                _ => {}
            }
            Ok(ApiGatewayProxyResponse::default())
        })
    }

    async fn http(&self, function: &str, event: ApiGatewayV2httpRequest) -> Result<Response<Body>, Failure> {
        let request: Request = LambdaRequest::ApiGatewayV2(event).into();
        assert!(!request.uri().path().ends_with("/panic"), "as the path said");
        let context = request.request_context();
        let told = json!({
            "function": function,
            "method": request.method().as_str(),
            "path": request.raw_http_path(),
            "query": request.uri().query(),
            "proxy": request.path_parameters().first("proxy"),
            "cookie": request.headers().get("cookie").map(|value| value.to_str().unwrap()),
            "twice": request.headers().get("x-twice").map(|value| value.to_str().unwrap()),
            "context": serde_json::to_value(context).unwrap(),
            "body": String::from_utf8_lossy(request.body()),
        });
        Ok(Response::new(Body::Text(told.to_string())))
    }

    async fn stream(&self, _: &str, _: dynamodb::Event) -> Result<DynamoDbEventResponse, Failure> {
        Ok(DynamoDbEventResponse::default())
    }

    async fn schedule(&self, _: &str) -> Result<(), Failure> {
        Ok(())
    }
}

/// The gateway of one test.
pub struct Stage {
    pub running: Running,
    pub script: Arc<Script>,
    pub clock: Arc<ManualClock>,
}

pub async fn stage() -> Stage {
    stage_with(Faults::default(), Duration::from_secs(29)).await
}

pub async fn stage_with(faults: Faults, function_limit: Duration) -> Stage {
    let script = Arc::new(Script {
        events: Mutex::default(),
        connections: OnceLock::new(),
        gate: Semaphore::new(0),
        early: Mutex::default(),
    });
    let clock = Arc::new(ManualClock::new(Timestamp(1_795_299_063_417)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Config::read(Place::Gateway, |name| match name {
        "OTP_HASH_SALT" => Some("0123456789abcdef0123456789abcdef".into()),
        "MAX_REQUEST_SIZE" => Some("65536".into()),
        _ => None,
    });
    let store = Home::in_memory().open().await.shared();
    let running = Gateway::start(GatewayOptions {
        clock: clock.clone(),
        functions: Some(script.clone()),
        faults,
        tick: Duration::from_millis(5),
        function_limit,
        connections_api: true,
        ..GatewayOptions::new(config.unwrap(), store, listener)
    });
    let running = running.await.unwrap();
    assert!(script.connections.set(running.registry().clone()).is_ok());
    Stage { running, script, clock }
}

/// Waits until `condition` holds.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let held = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(DEADLINE, held).await.unwrap_or_else(|_| panic!("never: {what}"));
}

impl Stage {
    pub fn upgrade_request(&self, path: &str) -> tungstenite::handshake::client::Request {
        use tungstenite::client::IntoClientRequest;
        format!("ws://{}{path}", self.running.local_addr()).into_client_request().unwrap()
    }

    pub async fn try_open(
        &self,
        request: tungstenite::handshake::client::Request,
    ) -> Result<(Client, tungstenite::handshake::client::Response), tungstenite::Error> {
        let stream = TcpStream::connect(self.running.local_addr()).await.unwrap();
        let (socket, response) = client_async(request, stream).await?;
        let id = self.script.events("connect").pop().and_then(|event| event.request_context.connection_id).unwrap();
        Ok((Client { socket, id }, response))
    }

    pub async fn open(&self, path: &str) -> Client {
        self.try_open(self.upgrade_request(path)).await.unwrap().0
    }

    /// Sends a request as it stands and answers status, head and body.
    pub async fn http(&self, request: impl AsRef<[u8]>) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.running.local_addr()).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        let mut bytes = Vec::new();
        tokio::time::timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        let status = head.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default();
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    /// A request without a body.
    pub async fn ask(&self, method: &str, path: &str) -> (u16, String, String) {
        self.http(format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await
    }
}

/// A socket's client.
pub struct Client {
    pub socket: WebSocketStream<TcpStream>,
    pub id: String,
}

impl Client {
    pub async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub async fn next(&mut self) -> Option<Message> {
        tokio::time::timeout(DEADLINE, self.socket.next()).await.expect("a frame").map(|read| read.unwrap())
    }

    /// The next frame's JSON.
    pub async fn frame(&mut self) -> Value {
        match self.next().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("no text frame: {other:?}"),
        }
    }

    /// Reads to the close frame and answers its code.
    pub async fn closed_with(&mut self) -> u16 {
        loop {
            match self.next().await {
                Some(Message::Close(Some(CloseFrame { code, .. }))) => return code.into(),
                Some(_) => {}
                None => panic!("it ended without a close frame"),
            }
        }
    }
}
