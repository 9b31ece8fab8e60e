//! The bot's list of commands, by scope and language.

use serde_json::{Value, json};

use crate::World;
use crate::api::{Answer, Outcome};

/// The longest list.
const MOST: usize = 100;

impl World {
    pub(crate) fn set_my_commands(&mut self, parameters: &Value) -> Outcome {
        let (scope, language) = self.command_list(parameters)?;
        let commands = parameters["commands"].as_array().map(Vec::as_slice).unwrap_or_default();
        if commands.len() > MOST {
            return Err(Answer::bad("too many commands specified"));
        }
        commands.iter().try_for_each(check)?;
        self.commands.insert((scope, language), commands.into());
        Ok(json!(true))
    }

    pub(crate) fn get_my_commands(&mut self, parameters: &Value) -> Outcome {
        let key = self.command_list(parameters)?;
        Ok(self.commands.get(&key).cloned().unwrap_or_else(|| json!([])))
    }

    pub(crate) fn delete_my_commands(&mut self, parameters: &Value) -> Outcome {
        let key = self.command_list(parameters)?;
        self.commands.remove(&key);
        Ok(json!(true))
    }

    /// Which list a call is about: `default`, `chat -100…` and so on, and a language or none.
    fn command_list(&mut self, parameters: &Value) -> Result<(String, String), Answer> {
        let language = parameters["language_code"].as_str().unwrap_or_default();
        if !language.is_empty() && (language.len() != 2 || !language.bytes().all(|byte| byte.is_ascii_lowercase())) {
            return Err(Answer::bad("invalid language_code specified"));
        }
        let kind = parameters["scope"]["type"].as_str().unwrap_or("default");
        let scope = match kind {
            "default" | "all_private_chats" | "all_group_chats" | "all_chat_administrators" => kind.to_owned(),
            "chat" | "chat_administrators" => {
                let chat = self.chat(&parameters["scope"])?;
                format!("{kind} {}", chat.id)
            }
            _ => return Err(Answer::bad("can't parse BotCommandScope: Unsupported type specified")),
        };
        Ok((scope, language.to_owned()))
    }

    /// What Telegram offers a person who types `/`: the narrowest list there is, in their language or in none.
    pub(crate) fn offered(&self, chat_id: i64, language: &str) -> Value {
        let wide = if chat_id > 0 { "all_private_chats" } else { "all_group_chats" };
        let scopes = [format!("chat {chat_id}"), wide.to_owned(), "default".to_owned()];
        let keys = scopes.iter().flat_map(|scope| [language, ""].map(|tongue| (scope.clone(), tongue.to_owned())));
        let mut lists = keys.filter_map(|key| self.commands.get(&key));
        lists.find(|list| **list != json!([])).cloned().unwrap_or_else(|| json!([]))
    }
}

fn check(command: &Value) -> Result<(), Answer> {
    let name = command["command"].as_str().unwrap_or_default().trim_start_matches('/');
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !(1..=32).contains(&name.len()) || !name.bytes().all(good) {
        return Err(Answer::bad("BOT_COMMAND_INVALID"));
    }
    match command["description"].as_str().unwrap_or_default().chars().count() {
        1..=256 => Ok(()),
        _ => Err(Answer::bad("BOT_COMMAND_DESCRIPTION_INVALID")),
    }
}
