//! What operators ask to read: `/info`, `/history`, `/stats`.

use shared::model::{Message, Status};
use shared::telegram::MAX_TEXT;
use shared::time::{SECOND, Timestamp};
use shared::wire::Item;
use shared::{App, Error, chat};

use crate::operators::told;

/// `/history` shows so many messages unless told otherwise …
const HISTORY: i64 = 10;
/// … and never more.
const HISTORY_MOST: i64 = 50;

/// What is known of a conversation and its visitor.
pub async fn info(app: &App, id: &str) -> Result<String, Error> {
    let item = chat::item(app, id).await?;
    let line = |key: &str, value: &str| app.catalogue.text(None, &format!("telegram.info.{key}"), &[("value", value)]);
    let mut lines = vec![item.visitor_name.clone(), told(app, state(&item)), line("since", &moment(item.created_at))];
    lines.push(line("messages", &item.head_seq.to_string()));
    lines.extend(item.waiting_since.map(|since| line("waiting", &moment(since))));
    lines.extend(item.claimed_by.as_deref().map(|name| line("claimed", name)));
    lines.extend((!item.tags.is_empty()).then(|| line("tags", &item.tags.join(", "))));
    let particulars = [
        ("page", &item.page_url),
        ("referrer", &item.referrer),
        ("language", &item.locale),
        ("country", &item.country),
        ("browser", &item.user_agent),
    ];
    lines.extend(particulars.into_iter().filter_map(|(key, value)| Some(line(key, value.as_deref()?))));
    lines.extend(item.in_telegram.then(|| told(app, "telegram.info.in_telegram")));
    let panel = format!("{}/admin?c={id}", app.config.public_url);
    lines.push(app.catalogue.text(None, "telegram.open_in_panel", &[("link", &panel)]));
    Ok(lines.join("\n"))
}

fn state(item: &Item) -> &'static str {
    match (item.status, item.online) {
        (Status::Closed, _) => "telegram.info.closed",
        (Status::Open, true) => "telegram.info.online",
        (Status::Open, false) => "telegram.info.away",
    }
}

/// The newest messages, as many of them as fit into one of Telegram's.
pub async fn history(app: &App, id: &str, count: &str) -> Result<String, Error> {
    let count = count.parse().unwrap_or(HISTORY).clamp(1, HISTORY_MOST);
    let messages = app.store.messages(id, 0, i64::MAX, true, count).await?;
    let mut lines: Vec<String> = Vec::new();
    let mut units = 0;
    for message in messages.iter().rev() {
        let line = line(message);
        units += line.encode_utf16().count() + 1;
        if units > MAX_TEXT && !lines.is_empty() {
            break;
        }
        lines.push(line);
    }
    lines.reverse();
    Ok(if lines.is_empty() { told(app, "telegram.answer.no_messages") } else { lines.join("\n") })
}

fn line(message: &Message) -> String {
    let file = if message.file.is_some() { "📎 " } else { "" };
    format!("{} {}: {file}{}", moment(message.created_at), message.author, message.content)
}

/// Today's figures.
pub async fn stats(app: &App) -> Result<String, Error> {
    let now = app.now();
    let figures = app.store.figures(now.day(), now.day(), now).await?;
    let today = figures.days.first().cloned().unwrap_or_default();
    let admins = app.store.admins_online(now).await?;
    let line = |key: &str, value: &str| app.catalogue.text(None, &format!("telegram.stats.{key}"), &[("value", value)]);
    let lines = [
        line("open", &figures.active_conversations.to_string()),
        line("visitors", &figures.visitors_online.to_string()),
        line("admins", &admins.to_string()),
        line("conversations", &today.conversations.to_string()),
        line("from_visitors", &today.messages_visitor.to_string()),
        line("from_us", &today.messages_admin.to_string()),
        line("first_answer", &figures.median_first_response_ms.map_or("–".into(), duration)),
        line("answer", &figures.median_response_ms.map_or("–".into(), duration)),
    ];
    Ok(lines.join("\n"))
}

/// Minutes and seconds.
fn duration(milliseconds: i64) -> String {
    let seconds = milliseconds / SECOND;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `2026-11-21 22:11`, in UTC.
fn moment(at: Timestamp) -> String {
    format!("{} {}", at.date(), at.minute_of_day())
}
