//! Saved replies: texts that the team sends again and again, each by its name.

use serde::Serialize;

use crate::app::App;
use crate::error::Error;
use crate::wire::MessageText;

/// What the settings that hold them begin with.
const PREFIX: &str = "canned:";

/// A saved reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Canned {
    /// 1–32 of `[a-z0-9_-]`.
    pub name: String,
    /// By the rules of a message's text.
    pub content: String,
}

/// All of them, by name.
pub async fn all(app: &App) -> Result<Vec<Canned>, Error> {
    let found = app.store.settings(PREFIX).await?.into_iter();
    Ok(found.map(|(name, content)| Canned { name: name[PREFIX.len()..].to_owned(), content }).collect())
}

/// One of them.
pub async fn get(app: &App, name: &str) -> Result<Option<String>, Error> {
    Ok(app.store.setting(&setting(name)?).await?)
}

/// Saves one, in place of the one with its name.
pub async fn put(app: &App, name: &str, content: &str) -> Result<Canned, Error> {
    let setting = setting(name)?;
    let content = MessageText::parse(content, app.config.max_message_len)?.into_string();
    app.store.set_setting(&setting, Some(&content)).await?;
    Ok(Canned { name: setting[PREFIX.len()..].to_owned(), content })
}

/// Forgets one.
pub async fn remove(app: &App, name: &str) -> Result<(), Error> {
    Ok(app.store.set_setting(&setting(name)?, None).await?)
}

fn setting(name: &str) -> Result<String, Error> {
    let name = name.trim().to_ascii_lowercase();
    let valid = (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if valid { Ok(PREFIX.to_owned() + &name) } else { Err(Error::field("name", "must be 1 to 32 of a-z 0-9 _ -")) }
}
