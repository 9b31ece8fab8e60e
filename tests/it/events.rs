//! The events of tests/events, for `sam local invoke`: each is one that its function takes.

use std::path::Path;

use gateway::{Functions, InProcess};
use lambda_http::Body;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::telegram::stage::{Office, for_each_office};

fn event<T: DeserializeOwned>(name: &str) -> T {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("events/{name}.json"));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

async fn answered(functions: &InProcess, name: &str) -> Value {
    let answer = functions.http(name, event(name)).await.unwrap();
    assert_eq!(answer.status(), 200, "{name}: {:?}", answer.body());
    let Body::Text(text) = answer.body() else { panic!("{name} answered {:?}", answer.body()) };
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn each_function_takes_its_event() {
    for_each_office(&[], async |office: &Office| {
        let functions = InProcess(office.running.app().expect("functions in process").clone());

        // Before anybody joins, of whom Telegram is told as well.
        assert_eq!(answered(&functions, "admin").await["sent"], true);
        assert_eq!(office.telegram.sent().len(), 1, "the code");
        for name in ["connect", "message", "disconnect"] {
            let answer = functions.socket(name, event(name)).await.unwrap();
            assert_eq!(answer.status_code, 200, "{name}");
        }
        assert_eq!(answered(&functions, "visitor").await["visitor_name"], "Ada");
        let told = answered(&functions, "telegram").await;
        assert_eq!((&told["ok"], &told["method"]), (&json!(true), &json!("sendMessage")), "it answers nobody here");
        let failures = functions.stream("notifier", event("notifier")).await.unwrap();
        assert!(failures.batch_item_failures.is_empty());
        let _: Value = event("maintenance");
        functions.schedule("maintenance").await.unwrap();
    })
    .await;
}
