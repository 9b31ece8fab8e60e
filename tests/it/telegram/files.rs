//! Files that operators send: fetched once, kept here, given to the two sides of their conversation only.

mod moved;
mod passing;
mod serving;

use std::path::{Path, PathBuf};

use serde_json::Value;
use telegram_server::{BOT_TOKEN, Media, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::stage::{Office, Page, bearer};

pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and so on";

/// Whoever waits for a file asks for it as often as it takes.
pub const ASKED_OFTEN: (&str, &str) = ("API_REQ_PER_5MIN", "1000000");

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        Self(std::env::temp_dir().join(format!("parley-files-{}", uuid::Uuid::now_v7())))
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.0.display())
    }

    /// Where a conversation's files are.
    pub fn of(&self, page: &Page) -> PathBuf {
        self.0.join(&page.conversation_id)
    }

    /// Every file below it.
    pub fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(&self.0, &mut found);
        found
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Where no file came there is no folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a download was answered.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The error, but for the request's own id.
    pub fn error(&self) -> Value {
        let mut error: Value = serde_json::from_slice(&self.body).unwrap();
        error["request_id"].take();
        error
    }
}

pub async fn get(office: &Office, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(office.address()).await.unwrap();
    let more: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let more = more.concat();
    let asked = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}\r\n", office.address());
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    assert!(!String::from_utf8_lossy(&answer).contains(BOT_TOKEN));
    Answer { status: head.split(' ').nth(1).unwrap().parse().unwrap(), head, body: answer[end + 4..].to_vec() }
}

/// The file, as soon as it is there.
pub async fn fetched(office: &Office, path: &str, token: &str) -> Answer {
    office
        .eventually("the file is there", async || {
            let answer = get(office, path, &[("Authorization", &bearer(token))]).await;
            if answer.status == 404 {
                assert_eq!(answer.header("retry-after"), Some("2"), "{}", answer.error());
                return None;
            }
            Some(answer)
        })
        .await
}

/// A visitor whose conversation operators can answer, and the message to answer.
pub async fn asked(office: &Office, name: &str) -> (Page, i64) {
    let mut page = office.visitor(name).await;
    page.says("hello").await;
    office.mirrored().await;
    let sent = office.telegram.sent();
    (page, sent.iter().rev().find(|sent| sent.text.contains("hello")).expect("it is mirrored").message_id)
}

/// What the visitor sees of a file that an operator sends.
pub async fn sent(office: &Office, page: &mut Page, message_id: i64, media: &Media) -> Value {
    office.olga.replies_with(message_id, media);
    assert_eq!(office.telegram.deliver().await, [200]);
    page.frame("message").await
}

pub fn url(message: &Value) -> String {
    let url = message["file"]["url"].as_str().expect("a file").to_owned();
    let mut parts = url.split('/').skip(1);
    assert_eq!(parts.next(), Some("files"));
    assert_eq!(parts.next(), message["conversation_id"].as_str());
    assert_eq!(parts.next().map(str::len), Some(22), "128 bits");
    url
}
