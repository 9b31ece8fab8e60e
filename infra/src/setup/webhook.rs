//! Where Telegram sends its updates.

use shared::config::{Config, TelegramConfig};
use shared::telegram::Telegram;
use shared::telegram::setup::{ALLOWED_UPDATES, WebhookInfo};
use shared::time::{HOUR, SECOND, Timestamp};

use super::{Setup, Weight, Wish, address};

/// Telegram proper; a Bot API server of one's own may stand in the same room and takes `http`.
const TELEGRAM: &str = "https://api.telegram.org";
/// A failure this long ago is no news.
const NEWS: i64 = HOUR;

impl Setup<'_> {
    pub(super) async fn webhook(
        &mut self,
        telegram: &Telegram,
        config: &Config,
        told: &TelegramConfig,
        now: Timestamp,
        wish: Wish,
    ) {
        let url = format!("{}/telegram/webhook", config.public_url);
        if told.api_url == TELEGRAM
            && let Some(key) = address::obstacle(&config.public_url)
        {
            return self.find(Weight::Bad, key, &[("url", &config.public_url)]);
        }
        let before = match telegram.get_webhook_info().await {
            Ok(info) => info,
            Err(error) => return self.failed(&error),
        };
        if wish.check {
            self.compare(&before, &url);
        } else {
            let secret = told.webhook_secret.reveal();
            match telegram.set_webhook(&url, secret, wish.drop_pending_updates).await {
                Ok(()) if before.url.is_empty() || before.url == url => {
                    self.find(Weight::Good, "webhook", &[("url", &url)]);
                }
                Ok(()) => self.find(Weight::Good, "webhook_moved", &[("url", &url), ("before", &before.url)]),
                Err(error) => return self.failed(&error),
            }
        }
        let dropped = wish.drop_pending_updates && !wish.check;
        self.health(&before, now, dropped);
    }

    fn compare(&mut self, info: &WebhookInfo, url: &str) {
        let kinds = info.allowed_updates.as_deref().unwrap_or_default();
        let missing: Vec<_> =
            ALLOWED_UPDATES.into_iter().filter(|kind| !kinds.iter().any(|known| known == kind)).collect();
        if info.url.is_empty() {
            self.find(Weight::Bad, "webhook_missing", &[("url", url)]);
        } else if info.url != url {
            self.find(Weight::Bad, "webhook_elsewhere", &[("url", url), ("before", &info.url)]);
        } else if missing.is_empty() {
            self.find(Weight::Good, "webhook", &[("url", url)]);
        } else {
            self.find(Weight::Bad, "webhook_kinds", &[("kinds", &missing.join(", "))]);
        }
    }

    /// How deliveries went lately.
    fn health(&mut self, info: &WebhookInfo, now: Timestamp, dropped: bool) {
        let at = Timestamp(info.last_error_date.unwrap_or_default().saturating_mul(SECOND));
        if let Some(reason) = info.last_error_message.as_deref().filter(|_| now.since(at) < NEWS) {
            self.find(Weight::Hint, "webhook_failed", &[("time", &at.to_string()), ("reason", reason)]);
        }
        if info.pending_update_count > 0 {
            let key = if dropped { "webhook_dropped" } else { "webhook_pending" };
            self.find(Weight::Hint, key, &[("count", &info.pending_update_count.to_string())]);
        }
    }
}
