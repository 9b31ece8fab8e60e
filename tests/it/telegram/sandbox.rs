//! `make run-telegram-sandbox`: a newcomer tries both sides without a bot.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::people::{Browser, Visitor, eventually, program, within};

const OLGA: i64 = 501;

struct Sandbox {
    child: Child,
    parley: SocketAddr,
    group: Browser,
}

impl Sandbox {
    /// Starts it and reads where things are.
    async fn start() -> Self {
        let mut command = Command::new(program("telegram-sandbox"));
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut visitors, mut group) = (None, None);
        let reading = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((name, address)) = line.trim().split_once(" http://") {
                    let address = address.parse().ok();
                    match name.trim() {
                        "Visitors" => visitors = address,
                        "Group" => group = address,
                        _ => {}
                    }
                }
                if group.is_some() {
                    break;
                }
            }
        };
        within("its addresses", reading).await;
        // What else it writes goes nowhere, and must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let group = Browser::new(group.expect("the group's address"), Ipv4Addr::LOCALHOST).without("origin");
        Self { child, parley: visitors.expect("the visitors' address"), group }
    }

    /// The newest message of the group with these words.
    async fn message(&self, words: &str) -> Value {
        eventually(words, async || {
            let view = self.group.get("/api/state").await.good()["view"].clone();
            let group = view["chats"].as_array().unwrap().iter().find(|chat| chat["id"] == view["group"])?.clone();
            let messages = group["messages"].as_array().unwrap();
            let is_meant = |message: &&Value| message["text"].as_str().is_some_and(|text| text.contains(words));
            messages.iter().rev().find(is_meant).cloned()
        })
        .await
    }
}

#[tokio::test]
async fn a_newcomer_answers_a_visitor_in_the_sandbox() {
    let mut sandbox = Sandbox::start().await;
    let page = sandbox.group.get("/").await;
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
    let browser = Browser::new(sandbox.parley, Ipv4Addr::LOCALHOST);
    let mut ada = Visitor::join(browser.with("origin", format!("http://{}", sandbox.parley)), "Ada").await;

    ada.say("Is anybody there?").await;
    let asked = sandbox.message("Is anybody there?").await;
    let thread = asked["message_thread_id"].as_i64().filter(|_| asked["is_topic_message"] == true);
    let act = json!({
        "as": OLGA, "chat": asked["chat"]["id"], "thread": thread, "message": asked["message_id"], "do": "write",
        "text": "Good day, Ada",
    });
    assert_eq!(sandbox.group.with("origin", "http://evil.example").post("/api/act", act.clone()).await.status, 403);
    sandbox.group.post("/api/act", act).await.good();

    loop {
        let heard = ada.socket.expect("message").await;
        if heard["sender"] == "admin" {
            assert_eq!((&heard["content"], &heard["author"]), (&json!("Good day, Ada"), &json!("Olga Petrova")));
            break;
        }
    }
    let pid = sandbox.child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    assert!(within("its end", sandbox.child.wait()).await.unwrap().success());
}
