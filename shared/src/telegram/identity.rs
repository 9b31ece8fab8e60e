//! Who the bot is.

use super::Telegram;
use crate::app::App;
use crate::error::Error;

impl Telegram {
    /// The bot's name in links, without `@`. Asked for once; Telegram lets nobody change it but by another bot.
    pub async fn username(&self, app: &App) -> Result<String, Error> {
        let setting = format!("telegram:bot:{}", self.bot_id);
        if let Some(username) = app.store.setting(&setting).await? {
            return Ok(username);
        }
        let me = self.get_me().await.map_err(|error| Error::Unavailable(error.into()))?;
        app.store.set_setting(&setting, Some(&me.username)).await?;
        Ok(me.username)
    }
}
