//! Everything a handler needs, built once in `main`.

use std::sync::Arc;

use crate::config::Config;
use crate::connections::Connections;
use crate::error::{Error, chain};
use crate::i18n::Catalogue;
use crate::store::Store;
use crate::telegram::{self, Telegram, TelegramError, login};
use crate::time::{Clock, Timestamp};

/// Shows a line to the person who runs the process.
pub type Terminal = Arc<dyn Fn(&str) + Send + Sync>;

/// The parts that rules and handlers work with. Shared by reference; cheap to build for a test.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The database.
    pub store: Arc<dyn Store>,
    /// The way to sockets.
    pub connections: Arc<dyn Connections>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The words.
    pub catalogue: Catalogue,
    /// The bot, when Telegram is set up.
    pub telegram: Option<Telegram>,
    /// The files, for those who keep or serve them.
    #[cfg(feature = "files")]
    pub attachments: Option<crate::attachments::AttachmentStore>,
    terminal: Option<Terminal>,
}

impl App {
    /// Puts the parts together.
    pub fn new(
        config: Config,
        store: Arc<dyn Store>,
        connections: Arc<dyn Connections>,
        clock: Arc<dyn Clock>,
    ) -> crate::Result<Self> {
        let catalogue = Catalogue::load(&config.default_locale)?;
        let telegram = config.telegram.as_ref().map(Telegram::new).transpose()?;
        Ok(Self {
            config,
            store,
            connections,
            clock,
            catalogue,
            telegram,
            #[cfg(feature = "files")]
            attachments: None,
            terminal: None,
        })
    }

    /// Adds the files.
    #[cfg(feature = "files")]
    #[must_use]
    pub fn with_attachments(mut self, attachments: crate::attachments::AttachmentStore) -> Self {
        self.attachments = Some(attachments);
        self
    }

    /// Lets login codes be shown on a terminal while Telegram is not set up; for a gateway on a loopback address.
    #[must_use]
    pub fn with_terminal(mut self, terminal: Option<Terminal>) -> Self {
        self.terminal = terminal;
        self
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Hands a login code to the operators, or to those of them who are named; answers where it went. The code is never
    /// stored or logged.
    pub async fn send_code(
        &self,
        code: &str,
        challenge_hash: &str,
        ip: &str,
        user_agent: &str,
    ) -> crate::Result<&'static str> {
        let minutes = (self.config.admin_code_ttl_seconds / 60).max(1).to_string();
        let time = self.now().minute_of_day();
        let values = [("code", code), ("ip", ip), ("browser", user_agent), ("minutes", &minutes), ("time", &time)];
        let unavailable = |error: TelegramError| Error::Unavailable(error.into());
        if let Some(telegram) = &self.telegram {
            let text = self.catalogue.text(None, "telegram.login_code", &values);
            let admins = self.config.telegram.as_ref().map_or(&[][..], |telegram| &telegram.admin_ids);
            if !admins.is_empty() {
                login::send(self, telegram, admins, text, challenge_hash).await.map_err(unavailable)?;
                return Ok("telegram_private");
            }
            return telegram::tell(self, telegram, &text, None).await.map(|_| "telegram").map_err(unavailable);
        }
        let Some(terminal) = &self.terminal else {
            return Err(Error::Unavailable("no way to send codes: Telegram is not set up".into()));
        };
        terminal(&self.catalogue.text(None, "system.login_code", &values));
        Ok("terminal")
    }

    /// Tells the operators something in Telegram, if it is there and answers.
    pub async fn announce(&self, key: &str, values: &[(&str, &str)]) {
        let Some(telegram) = &self.telegram else { return };
        let text = self.catalogue.text(None, key, values);
        if let Err(error) = telegram::tell(self, telegram, &text, None).await {
            tracing::warn!(cause = %chain(&error), key, "announcement not sent");
        }
    }
}
