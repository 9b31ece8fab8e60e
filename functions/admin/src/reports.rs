//! Search, figures, the audit trail.

use lambda_http::{Body, Response};
use serde::Serialize;
use serde_json::json;
use shared::auth::Admin;
use shared::http::{Call, json};
use shared::store::Day;
use shared::time::{DAY, Timestamp};
use shared::wire::Outgoing;
use shared::{App, Error, desk};

use crate::conversations::page;

#[derive(Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    message: Outgoing<'a>,
    visitor_name: &'a str,
}

pub async fn search(app: &App, call: &Call, admin: &Admin) -> Result<Response<Body>, Error> {
    let words = call.query("q").unwrap_or_default();
    let found = desk::find(app, &admin.actor(), &words, &page(call)?).await?;
    let found_items = found.items.iter();
    let items: Vec<Found<'_>> = found_items
        .map(|(message, visitor_name)| Found { message: Outgoing::Message(message), visitor_name })
        .collect();
    json(&json!({"items": items, "next_cursor": found.next_cursor}))
}

/// The figures of section 4.1 over the last `days` (30 unless told, at most 366), today included, with the same figures of
/// the period before in `previous`.
pub async fn statistics(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    let days = call.number("days", 1..=366)?.unwrap_or(30);
    let now = app.now();
    let today = now.day();
    let first = today - days + 1;
    let figures = app.store.figures(first, today, now).await?;
    let previous = app.store.figures(first - days, first - 1, now).await?;
    let of_today = figures.days.iter().find(|day| day.day == today).cloned().unwrap_or_default();
    json(&json!({
        "active_conversations": figures.active_conversations,
        "visitors_online": figures.visitors_online,
        "admins_online": app.store.admins_online(now).await?,
        "conversations_today": of_today.conversations,
        "messages_today": of_today.messages_visitor + of_today.messages_admin,
        "messages_total": figures.messages_total,
        "median_first_response_seconds": seconds(figures.median_first_response_ms),
        "median_response_seconds": seconds(figures.median_response_ms),
        "by_day": by_day(first, today, &figures.days),
        "previous": {
            "conversations": figures_sum(&previous.days, |day| day.conversations),
            "messages": figures_sum(&previous.days, |day| day.messages_visitor + day.messages_admin),
            "median_first_response_seconds": seconds(previous.median_first_response_ms),
            "median_response_seconds": seconds(previous.median_response_ms),
            "by_day": by_day(first - days, first - 1, &previous.days),
        },
    }))
}

/// Every day of the period, the empty ones too, so that a chart needs no gaps filled.
fn by_day(first: i64, last: i64, days: &[Day]) -> Vec<serde_json::Value> {
    (first..=last)
        .map(|number| {
            let day = days.iter().find(|day| day.day == number).cloned().unwrap_or_default();
            json!({
                "date": Timestamp(number * DAY).date(),
                "conversations": day.conversations,
                "messages_visitor": day.messages_visitor,
                "messages_admin": day.messages_admin,
                "median_response_seconds": seconds(day.median_response_ms),
            })
        })
        .collect()
}

fn figures_sum(days: &[Day], figure: impl Fn(&Day) -> i64) -> i64 {
    days.iter().map(figure).sum()
}

/// Seconds with one decimal.
#[expect(clippy::cast_precision_loss, reason = "an answer time in tenths of a second is far below 2^52")]
fn seconds(milliseconds: Option<i64>) -> Option<f64> {
    milliseconds.map(|ms| (ms as f64 / 100.0).round() / 10.0)
}

pub async fn activity(app: &App, call: &Call) -> Result<Response<Body>, Error> {
    let found = app.store.activity(&page(call)?).await?;
    json(&json!({"items": found.items, "next_cursor": found.next_cursor}))
}
