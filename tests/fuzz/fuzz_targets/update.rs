//! Reads an update from any bytes: it never fails otherwise than by saying so, and never disagrees with itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::telegram::login::Decision;
use shared::telegram::update::Update;

fuzz_target!(|body: &[u8]| {
    let id = Update::id_of(body);
    let Some(update) = Update::read(body) else { return };
    if id.is_some() {
        assert_eq!(id, update.update_id);
    }
    let messages = update.message.iter().chain(&update.edited_message);
    for message in messages.chain(update.callback_query.iter().filter_map(|query| query.message.as_ref())) {
        assert!(message.topic().is_none() || message.is_topic_message);
        assert!(message.from.as_ref().is_none_or(|user| user.name() == user.name().trim()));
    }
    if let Some(decision) = update.callback_query.and_then(|query| Decision::parse(&query.data?)) {
        assert_eq!(decision.challenge_hash.len(), 64);
    }
});
