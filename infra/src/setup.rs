//! `gateway telegram setup`: how Telegram stands, in plain words, and the webhook and the commands put in place.

mod address;
mod webhook;

use shared::config::{Config, OnDelete, TelegramConfig};
use shared::i18n::{Catalogue, LOCALES};
use shared::telegram::setup::{ChatInfo, ChatMember, CommandScope, Me};
use shared::telegram::{Telegram, TelegramError};
use shared::time::Clock;

/// What the command line asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Nothing is changed.
    pub check: bool,
    /// Updates that wait are dropped; what operators wrote in the meantime is lost.
    pub drop_pending_updates: bool,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Hint,
    /// It does not work before it is mended.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub weight: Weight,
    /// What it is and how to mend it, in `DEFAULT_LOCALE`. Never holds a secret.
    pub text: String,
}

/// Everything that was found, in the order in which it was looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report(pub Vec<Finding>);

impl Report {
    /// A line for each finding, and one for all of them.
    pub fn lines(&self, config: &Config) -> shared::Result<String> {
        let catalogue = Catalogue::load(&config.default_locale)?;
        let mark = |weight| match weight {
            Weight::Good => '✓',
            Weight::Hint => '•',
            Weight::Bad => '✗',
        };
        let lines = self.0.iter().map(|finding| format!("{} {}\n", mark(finding.weight), finding.text));
        let end = if self.is_well() { "well" } else { "not_well" };
        Ok(lines.collect::<String>() + "\n" + &catalogue.text(None, &format!("telegram.setup.{end}"), &[]) + "\n")
    }

    /// Whether operators can work.
    pub fn is_well(&self) -> bool {
        self.0.iter().all(|finding| finding.weight != Weight::Bad)
    }
}

/// Looks at everything that Telegram needs, and puts in place what can be put in place from here.
pub async fn run(config: &Config, clock: &dyn Clock, wish: Wish) -> shared::Result<Report> {
    let catalogue = Catalogue::load(&config.default_locale)?;
    let mut setup = Setup { catalogue: &catalogue, report: Report::default() };
    let Some(told) = &config.telegram else {
        setup.find(Weight::Bad, "nothing_set", &[]);
        return Ok(setup.report);
    };
    let telegram = Telegram::new(told)?;
    let Some(me) = setup.token(&telegram, told).await else { return Ok(setup.report) };
    let Some(chat) = setup.chat(&telegram, told.chat_id, &me).await else { return Ok(setup.report) };
    setup.membership(&telegram, told, &chat, &me).await;
    setup.commands(&telegram, CommandScope::Chat(chat.id), wish.check).await;
    setup.commands(&telegram, CommandScope::PrivateChats, wish.check).await;
    setup.admins(&telegram, told, &me).await;
    setup.webhook(&telegram, config, told, clock.now(), wish).await;
    Ok(setup.report)
}

struct Setup<'a> {
    catalogue: &'a Catalogue,
    report: Report,
}

impl Setup<'_> {
    fn text(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.catalogue.text(None, &format!("telegram.setup.{key}"), values)
    }

    fn find(&mut self, weight: Weight, key: &str, values: &[(&str, &str)]) {
        let text = self.text(key, values);
        self.report.0.push(Finding { weight, text });
    }

    /// A failure that says nothing about the thing that was asked for.
    fn failed(&mut self, error: &TelegramError) {
        let words = error.to_string();
        self.find(Weight::Bad, "failed", &[("reason", &words)]);
    }

    async fn token(&mut self, telegram: &Telegram, told: &TelegramConfig) -> Option<Me> {
        match telegram.get_me().await {
            Ok(me) => {
                self.find(Weight::Good, "token", &[("bot", &me.username)]);
                return Some(me);
            }
            Err(TelegramError::Refused { code: 401 | 404, .. }) => self.find(Weight::Bad, "token_unknown", &[]),
            Err(TelegramError::NoAnswer(_)) => self.find(Weight::Bad, "no_answer", &[("url", &told.api_url)]),
            Err(error) => self.failed(&error),
        }
        None
    }

    async fn chat(&mut self, telegram: &Telegram, chat_id: i64, me: &Me) -> Option<ChatInfo> {
        let number = chat_id.to_string();
        let values = [("chat", number.as_str()), ("bot", me.username.as_str())];
        match telegram.get_chat(chat_id).await {
            Ok(chat) => return self.kind(chat),
            Err(TelegramError::Migrated(new)) => {
                self.find(Weight::Bad, "migrated", &[("chat", &number), ("new", &new.to_string())]);
            }
            Err(TelegramError::Refused { code: 403, .. }) => self.find(Weight::Bad, "removed", &values),
            Err(TelegramError::Refused { code: 400, .. }) => {
                self.find(Weight::Bad, "chat_not_found", &values);
                // While a webhook is set nobody can tell.
                for (id, title) in telegram.get_groups().await.unwrap_or_default() {
                    self.find(Weight::Hint, "group_seen", &[("title", &title), ("id", &id.to_string())]);
                }
            }
            Err(error) => self.failed(&error),
        }
        None
    }

    /// Operators need a group; topics are better than chains of replies.
    fn kind(&mut self, chat: ChatInfo) -> Option<ChatInfo> {
        let title = chat.title.clone().unwrap_or_default();
        match chat.kind.as_str() {
            "supergroup" if chat.is_forum => self.find(Weight::Good, "forum", &[("title", &title)]),
            "supergroup" | "group" => self.find(Weight::Hint, "no_topics", &[("title", &title)]),
            _ => {
                self.find(Weight::Bad, "no_group", &[("chat", &chat.id.to_string())]);
                return None;
            }
        }
        Some(chat)
    }

    async fn membership(&mut self, telegram: &Telegram, told: &TelegramConfig, chat: &ChatInfo, me: &Me) {
        let member = match telegram.get_chat_member(chat.id, me.id).await {
            Ok(member) => member,
            Err(error) => return self.failed(&error),
        };
        let bot = [("bot", me.username.as_str())];
        if !member.is_there() {
            let values = [bot[0], ("chat", &chat.id.to_string())];
            self.find(Weight::Bad, "removed", &values);
        } else if member.is_administrator() {
            self.rights(told, chat, &member, &bot);
        } else if chat.is_forum {
            self.find(Weight::Bad, "no_administrator", &bot);
        } else if me.can_read_all_group_messages {
            self.find(Weight::Hint, "member", &bot);
        } else {
            self.find(Weight::Bad, "privacy", &bot);
        }
    }

    /// Only topics need rights of their own.
    fn rights(&mut self, told: &TelegramConfig, chat: &ChatInfo, member: &ChatMember, bot: &[(&str, &str)]) {
        let is_owner = member.status == "creator";
        let lacks = |may: bool| chat.is_forum && !may && !is_owner;
        let deletes = told.on_delete == OnDelete::Delete;
        let missing = [
            (lacks(member.can_manage_topics), "may_not_manage_topics"),
            (deletes && lacks(member.can_delete_messages), "may_not_delete"),
        ];
        for (_, key) in missing.iter().filter(|(is_missing, _)| *is_missing) {
            self.find(Weight::Bad, key, bot);
        }
        if !missing.iter().any(|(is_missing, _)| *is_missing) {
            self.find(Weight::Good, "rights", bot);
        }
    }

    /// Whom login codes go to privately: each must have let the bot write to them.
    async fn admins(&mut self, telegram: &Telegram, told: &TelegramConfig, me: &Me) {
        let mut reached = 0;
        for id in &told.admin_ids {
            match telegram.send_typing(*id).await {
                Ok(()) => reached += 1,
                Err(TelegramError::Refused { code: 400 | 403, .. }) => {
                    let values = [("id", id.to_string()), ("bot", me.username.clone())];
                    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
                    self.find(Weight::Bad, "admin_unreachable", &values);
                }
                Err(error) => self.failed(&error),
            }
        }
        if reached > 0 {
            self.find(Weight::Good, "admins", &[("count", &reached.to_string())]);
        }
    }

    /// The lists of commands: one for each language, and one for everybody else's.
    async fn commands(&mut self, telegram: &Telegram, scope: CommandScope, check: bool) {
        let place = match scope {
            CommandScope::Chat(_) => "commands",
            CommandScope::PrivateChats => "private_commands",
        };
        let lists = std::iter::once(("", None)).chain(LOCALES.map(|locale| (locale, Some(locale))));
        let mut is_missing = false;
        for (language, locale) in lists {
            let told = scope.told(self.catalogue, locale);
            let done = if check {
                telegram.get_my_commands(scope, language).await.map(|there| is_missing |= there != told)
            } else {
                telegram.set_my_commands(scope, language, &told).await
            };
            if let Err(error) = done {
                return self.failed(&error);
            }
        }
        let count = scope.commands().len().to_string();
        if is_missing {
            self.find(Weight::Bad, "commands_missing", &[]);
        } else {
            self.find(Weight::Good, place, &[("count", &count)]);
        }
    }
}
