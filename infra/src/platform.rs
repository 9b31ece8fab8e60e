//! What every request and every socket of one gateway shares.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use ipnet::IpNet;
use shared::App;
use shared::config::Config;
use shared::time::{Clock, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::Instrument;
use url::Url;

use crate::background::Jobs;
use crate::faults::Lots;
use crate::functions::{Failure, Functions, guarded};
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::template::Template;

/// At most so many functions run at once, as an AWS account has a limit too.
pub(crate) const MAX_RUNNING: u32 = 1_024;

/// Who is calling, told by the TCP connection.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) ip: IpAddr,
    /// Counts the connection as long as anything of it lives.
    pub(crate) permit: Arc<OwnedSemaphorePermit>,
}

/// The parts of a running gateway.
pub(crate) struct Platform {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    /// What the functions work with when they run in here.
    pub(crate) app: Option<Arc<App>>,
    pub(crate) functions: Arc<dyn Functions>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) jobs: Jobs,
    pub(crate) lots: Arc<Lots>,
    pub(crate) template: Template,
    /// [`MAX_RUNNING`] permits; whoever holds them all knows that nothing runs.
    pub(crate) slots: Arc<Semaphore>,
    /// How long a function may take.
    pub(crate) function_limit: Duration,
    pub(crate) connections_api: bool,
    pub(crate) connections_from: Option<IpNet>,
    /// `host:port` for requests that name no host that could be.
    pub(crate) own_domain: String,
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Platform {
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// The host that a request names, if it is one; it goes into events, URLs and the content security policy.
    pub(crate) fn domain(&self, headers: &HeaderMap) -> String {
        let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        named.filter(|host| is_host(host)).unwrap_or(&self.own_domain).to_owned()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether any function runs.
    pub(crate) fn is_running(&self) -> bool {
        self.slots.available_permits() < MAX_RUNNING as usize
    }

    /// Whether people reach this gateway by https.
    pub(crate) fn is_https(&self) -> bool {
        self.config.public_url.starts_with("https://")
    }

    /// Runs a function; `deletes` tells whether it may delete conversations. A caller that may go away meanwhile lets a task of
    /// its own call this, since AWS runs functions to their end.
    pub(crate) async fn run<T>(
        &self,
        function: &str,
        deletes: bool,
        span: tracing::Span,
        run: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        let Ok(_slot) = self.slots.acquire().await else { return Err(Failure::TimedOut) };
        let started = Instant::now();
        let answer = guarded(self.function_limit, run.instrument(span)).await;
        self.metrics.handled(function, started.elapsed());
        let mirrored = self.app.as_ref().is_some_and(|app| app.telegram.is_some());
        self.jobs.something_was_done(deletes, mirrored);
        answer
    }
}

/// Ends when the gateway stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // The sender lives as long as the gateway; without it there is nothing left to run for.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

fn is_host(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']' | b'_'));
    plain && Url::parse(&format!("http://{text}/")).is_ok_and(|url| url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_real_host_counts_as_one() {
        for host in ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "chat.example.com"] {
            assert!(is_host(host), "{host}");
        }
        for host in
            ["", ":80", "a b", "a;script-src *", "1.2.3.4.5", "x:99999", "a/b", "user@host", "[::1", "ü.example"]
        {
            assert!(!is_host(host), "{host}");
        }
    }
}
