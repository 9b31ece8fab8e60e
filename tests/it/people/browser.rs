//! Somebody's browser: an address of its own, headers that it always sends.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use reqwest::header::HeaderMap;
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderName;
use tokio_tungstenite::tungstenite::{self, handshake::client::Request};

use super::Socket;
use super::within;

/// The page's origin, as the gateway's default `PUBLIC_URL` has it.
pub const ORIGIN: &str = "http://127.0.0.1:8000";

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    fn new(status: u16, headers: HeaderMap, text: String) -> Self {
        let json = serde_json::from_str(&text).unwrap_or_default();
        Self { status, headers, text, json }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body of a 200.
    #[track_caller]
    pub fn good(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json
    }

    /// An error in the contract's shape, and nothing beyond it.
    #[track_caller]
    pub fn refuses(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json["error"].as_str()), (status, Some(code)), "{}", self.text);
        assert!(self.json["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{}", self.text);
        assert!(self.json["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{}", self.text);
        assert_eq!(self.json.as_object().unwrap().len(), 3, "{}", self.text);
        let passes = matches!(status, 429 | 503);
        assert_eq!(self.header("retry-after").is_some(), passes, "{}", self.text);
    }

    /// `Retry-After` in seconds.
    #[track_caller]
    pub fn retry_after(&self) -> i64 {
        self.header("retry-after").expect("Retry-After").parse().unwrap()
    }
}

/// Somebody's browser.
#[derive(Clone)]
pub struct Browser {
    client: reqwest::Client,
    gateway: SocketAddr,
    pub ip: IpAddr,
    headers: Vec<(&'static str, String)>,
}

impl Browser {
    /// A browser that calls from `ip`; on Linux all of 127.0.0.0/8 is this machine.
    pub fn new(gateway: SocketAddr, ip: Ipv4Addr) -> Self {
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls).local_address(IpAddr::from(ip));
        let headers = vec![("origin", ORIGIN.to_owned()), ("user-agent", "Story/1.0".to_owned())];
        Self { client: client.build().unwrap(), gateway, ip: ip.into(), headers }
    }

    /// The same browser, which sends this header as well, or in place of the one before.
    pub fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut other = self.without(name);
        other.headers.push((name, value.into()));
        other
    }

    /// The same browser without a header.
    pub fn without(&self, name: &'static str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(known, _)| *known != name);
        other
    }

    /// The same browser with `Authorization: Bearer …`.
    pub fn bearing(&self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    pub async fn ask(&self, method: &str, path: &str, body: Option<String>) -> Answer {
        let url = format!("http://{}{path}", self.gateway);
        let mut request = self.client.request(method.parse().unwrap(), url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let answer = within("an answer", request.send()).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer::new(status, headers, answer.text().await.unwrap())
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, Some(body.to_string())).await
    }

    /// Opens a socket; the error is what the upgrade was answered with.
    pub async fn open(&self, path: &str) -> Result<Socket, Answer> {
        let tcp = TcpSocket::new_v4().unwrap();
        tcp.bind((self.ip, 0).into()).unwrap();
        let stream = tcp.connect(self.gateway).await.unwrap();
        match within("an upgrade", client_async(self.upgrade(path), stream)).await {
            Ok((stream, _)) => Ok(Socket::new(stream)),
            Err(tungstenite::Error::Http(answer)) => {
                let text = String::from_utf8(answer.body().clone().unwrap_or_default()).unwrap();
                Err(Answer::new(answer.status().as_u16(), answer.headers().clone(), text))
            }
            Err(error) => panic!("no upgrade: {error}"),
        }
    }

    fn upgrade(&self, path: &str) -> Request {
        let mut request = format!("ws://{}{path}", self.gateway).into_client_request().unwrap();
        for (name, value) in &self.headers {
            request.headers_mut().insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        request
    }

    /// Asks for a login code; answers the cookie that it is bound to.
    pub async fn request_otp(&self) -> String {
        let answer = self.post("/api/admin/request_otp", json!({})).await;
        let cookie = answer.header("set-cookie").expect("a cookie").split(';').next().unwrap().to_owned();
        assert_eq!(answer.good()["sent"], true);
        cookie
    }

    pub async fn log_in(&self, cookie: &str, code: &str, name: &str) -> Answer {
        self.with("cookie", cookie).post("/api/admin/login", json!({"code": code, "name": name})).await
    }
}
