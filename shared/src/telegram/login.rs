//! Login codes that go to people rather than to a group: under them are the buttons that let the waiting browser in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::HEXLOWER;

use super::now::post_now;
use super::send::{Keyboard, Post};
use super::text::Text;
use super::{Telegram, TelegramError};
use crate::app::App;
use crate::error::chain;

/// What somebody decided about a browser that waits to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may come in.
    pub approved: bool,
    /// The hash of the challenge that the browser holds.
    pub challenge_hash: String,
}

impl Decision {
    /// Reads a button's data; `None`: it is another kind of button's.
    pub fn parse(data: &str) -> Option<Self> {
        let (verb, challenge) = data.strip_prefix("login:")?.split_once(':')?;
        let approved = match verb {
            "approve" => true,
            "deny" => false,
            _ => return None,
        };
        let bytes = URL_SAFE_NO_PAD.decode(challenge).ok().filter(|bytes| bytes.len() == 32)?;
        Some(Self { approved, challenge_hash: HEXLOWER.encode(&bytes) })
    }
}

/// Sends a login code to people's private chats; it is enough that one of them gets it.
pub async fn send(
    app: &App,
    telegram: &Telegram,
    people: &[i64],
    text: String,
    challenge_hash: &str,
) -> Result<(), TelegramError> {
    let (text, keyboard) = (Text::plain(text), keyboard(app, challenge_hash));
    let post = Post { keyboard: Some(&keyboard), ..Post::new(&text) };
    let mut sent = Ok(());
    let mut arrived = false;
    for user_id in people {
        match post_now(app, telegram, *user_id, &post).await {
            Ok(_) => arrived = true,
            Err(error) => {
                // Whoever has never written to the bot cannot be written to.
                tracing::warn!(cause = %chain(&error), user_id, "login code not sent to one of TELEGRAM_ADMIN_IDS");
                sent = Err(error);
            }
        }
    }
    if arrived { Ok(()) } else { sent }
}

/// *Approve* and *Deny* for the browser that holds a challenge.
fn keyboard(app: &App, challenge_hash: &str) -> Keyboard {
    let challenge = URL_SAFE_NO_PAD.encode(HEXLOWER.decode(challenge_hash.as_bytes()).unwrap_or_default());
    let button = |verb: &str| {
        (app.catalogue.text(None, &format!("telegram.button_{verb}"), &[]), format!("login:{verb}:{challenge}"))
    };
    Keyboard::row([button("approve"), button("deny")])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Secret;

    #[test]
    fn a_button_says_of_which_browser_it_is_in_64_bytes() {
        let hash = Secret::presented("a challenge").hash();
        let challenge = URL_SAFE_NO_PAD.encode(HEXLOWER.decode(hash.as_bytes()).unwrap());

        for (verb, approved) in [("approve", true), ("deny", false)] {
            let data = format!("login:{verb}:{challenge}");
            assert!(data.len() <= 64);
            assert_eq!(Decision::parse(&data), Some(Decision { approved, challenge_hash: hash.clone() }));
        }
        for other in ["login:approve:", "login:approve:AAAA", "login:perhaps:AAAA", "claim:7", "login", "login:deny:ü"]
        {
            assert_eq!(Decision::parse(other), None, "{other}");
        }
    }
}
