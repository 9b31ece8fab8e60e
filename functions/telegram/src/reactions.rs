//! An operator's reaction to a visitor's message reaches the visitor.

use shared::model::Sender;
use shared::telegram::update::{Reaction, ReactionChange};
use shared::{App, Error, chat};

/// Passes a reaction on. Anonymous ones say not whose they are, custom emoji are no characters; neither goes anywhere.
pub async fn changed(app: &App, change: &ReactionChange) -> Result<(), Error> {
    if change.user.as_ref().is_none_or(|user| user.is_bot) {
        return Ok(());
    }
    let (before, after) = (emoji(&change.old_reaction), emoji(&change.new_reaction));
    if before.is_none() && after.is_none() {
        return Ok(());
    }
    let Some(link) = app.store.linked(change.chat.id, change.message_id).await?.filter(|link| link.seq > 0) else {
        return Ok(());
    };
    let (id, seq) = (link.conversation_id.as_str(), link.seq);
    let answered = app.store.messages(id, seq - 1, seq + 1, false, 1).await?;
    if answered.first().is_some_and(|message| message.sender == Sender::Visitor) {
        chat::react(app, id, seq, after).await?;
    }
    Ok(())
}

/// The newest emoji among the reactions; more than a few characters are none.
fn emoji(reactions: &[Reaction]) -> Option<&str> {
    reactions
        .iter()
        .rev()
        .filter_map(|reaction| reaction.emoji.as_deref())
        .find(|emoji| (1..=32).contains(&emoji.len()))
}
