//! The people of the stories and where they meet, over real sockets and HTTP.

mod admin;
mod browser;
mod house;
mod process;
mod socket;
mod visitor;

use std::future::Future;
use std::time::Duration;

pub use admin::Admin;
pub use browser::{Answer, Browser};
pub use house::{House, RELAXED, SALT, code_in, in_each_house, in_each_house_with, in_each_sql_house};
pub use process::{Process, program, run_program};
pub use socket::Socket;
pub use visitor::Visitor;

/// Nothing here takes longer on a busy machine.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Asks again and again until `found` finds it.
pub async fn eventually<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(it) = found().await {
                return it;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within(what, asking).await
}

/// Waits for `it`, but not for ever.
pub async fn within<T>(what: &str, it: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, it).await.unwrap_or_else(|_| panic!("never: {what}"))
}
