//! `GET /metrics`: what goes on in here, in Prometheus' text format.

use std::fmt::Write;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds in seconds; the last is near API Gateway's own limit.
const DURATIONS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 29.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SideLabel {
    side: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FunctionLabel {
    function: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabel {
    lane: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: String,
}

/// The figures of one gateway.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    connections: Family<SideLabel, Gauge>,
    frames_in: Family<SideLabel, Counter>,
    frames_out: Family<SideLabel, Counter>,
    handlers: Family<FunctionLabel, Histogram, fn() -> Histogram>,
    pushes: Family<StatusLabel, Counter>,
    backlog: Family<LaneLabel, Gauge>,
    telegram_alert: Family<CodeLabel, Gauge>,
}

fn durations() -> Histogram {
    Histogram::new(DURATIONS)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("parley");
        let metrics = Self {
            connections: Family::default(),
            frames_in: Family::default(),
            frames_out: Family::default(),
            handlers: Family::new_with_constructor(durations),
            pushes: Family::default(),
            backlog: Family::default(),
            telegram_alert: Family::default(),
            registry: Registry::default(),
        };
        registry.register("connections", "Open sockets", metrics.connections.clone());
        registry.register("frames_in", "Frames from clients", metrics.frames_in.clone());
        registry.register("frames_out", "Frames to clients", metrics.frames_out.clone());
        registry.register("handler_seconds", "How long functions took", metrics.handlers.clone());
        registry.register("pushes", "Answers to pushes", metrics.pushes.clone());
        registry.register("outbox_backlog", "Events that wait", metrics.backlog.clone());
        registry.register("telegram_alert", "What admins have to mend", metrics.telegram_alert.clone());
        Self { registry, ..metrics }
    }
}

impl Metrics {
    pub(crate) fn connected(&self, side: &'static str) {
        self.connections.get_or_create(&SideLabel { side }).inc();
    }

    pub(crate) fn disconnected(&self, side: &'static str) {
        self.connections.get_or_create(&SideLabel { side }).dec();
    }

    pub(crate) fn frame_in(&self, side: &'static str) {
        self.frames_in.get_or_create(&SideLabel { side }).inc();
    }

    pub(crate) fn frames_out(&self, side: &'static str, frames: usize) {
        self.frames_out.get_or_create(&SideLabel { side }).inc_by(frames as u64);
    }

    pub(crate) fn handled(&self, function: &str, took: Duration) {
        self.handlers.get_or_create(&FunctionLabel { function: function.into() }).observe(took.as_secs_f64());
    }

    pub(crate) fn pushed(&self, status: u16) {
        self.pushes.get_or_create(&StatusLabel { status }).inc();
    }

    pub(crate) fn backlog(&self, lane: &'static str, events: i64) {
        self.backlog.get_or_create(&LaneLabel { lane }).set(events);
    }

    /// What is wrong with Telegram, if anything.
    pub(crate) fn telegram_alert(&self, code: Option<String>) {
        self.telegram_alert.clear();
        if let Some(code) = code {
            self.telegram_alert.get_or_create(&CodeLabel { code }).set(1);
        }
    }

    /// All figures as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            let _ = write!(text, "# incomplete");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_in_prometheus_text() {
        let metrics = Metrics::default();

        metrics.connected("visitor");
        metrics.pushed(410);
        metrics.handled("message", Duration::from_millis(3));

        let text = metrics.text();
        assert!(text.contains("parley_connections{side=\"visitor\"} 1\n"), "{text}");
        assert!(text.contains("parley_pushes_total{status=\"410\"} 1\n"), "{text}");
        assert!(text.contains("parley_handler_seconds_bucket{le=\"0.005\",function=\"message\"} 1\n"), "{text}");
    }
}
