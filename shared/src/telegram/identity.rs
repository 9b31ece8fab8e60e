//! Who the bot is.

use super::Telegram;
use crate::app::App;
use crate::error::Error;

impl Telegram {
    /// The bot's name in links, without `@`. Asked for once; Telegram lets nobody change it but by another bot.
    pub async fn username(&self, app: &App) -> Result<String, Error> {
        if let Some(username) = self.known_username(app).await? {
            return Ok(username);
        }
        let me = self.get_me().await.map_err(|error| Error::Unavailable(error.into()))?;
        app.store.set_setting(&self.setting(), Some(&me.username)).await?;
        Ok(me.username)
    }

    /// The same, if somebody has asked for it before.
    pub async fn known_username(&self, app: &App) -> Result<Option<String>, Error> {
        Ok(app.store.setting(&self.setting()).await?)
    }

    fn setting(&self) -> String {
        format!("telegram:bot:{}", self.bot_id)
    }
}
