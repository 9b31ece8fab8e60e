//! The icons that a topic may have.

use serde_json::{Value, json};

/// The colours of an icon without an emoji.
pub(crate) const COLOURS: [i64; 6] = [0x6f_b9_f0, 0xff_d6_7e, 0xcb_86_db, 0x8e_ee_98, 0xff_93_b2, 0xfb_6f_5f];

/// Some of Telegram's own icons: each a custom emoji with an id of its own.
const ICONS: [(&str, &str); 16] = [
    ("5312536423851630001", "💡"),
    ("5312016608254762256", "⚡️"),
    ("5379748062124056162", "❗️"),
    ("5373251851074415873", "📝"),
    ("5357315181649076022", "📁"),
    ("5309965701241379366", "🔎"),
    ("5312241539987020022", "🔥"),
    ("5377316857231450742", "❓"),
    ("5377498341074542641", "‼️"),
    ("5408906741125490282", "🏁"),
    ("5357121491508928442", "👀"),
    ("5309832892262654231", "🤖"),
    ("5417915203100613993", "💬"),
    ("5238156910363950406", "✍️"),
    ("5235579393115438657", "⭐️"),
    ("5237699328843200968", "✅"),
];

/// The answer of `getForumTopicIconStickers`.
pub(crate) fn icon_stickers() -> Value {
    let sticker = |(id, emoji): &(&str, &str)| {
        json!({
            "file_id": format!("sticker_{id}"), "file_unique_id": id, "type": "custom_emoji", "width": 512, "height": 512,
            "is_animated": true, "is_video": false, "emoji": emoji, "set_name": "Topics", "custom_emoji_id": id,
        })
    };
    ICONS.iter().map(sticker).collect()
}

/// The emoji that a custom one stands for.
pub(crate) fn emoji(custom_emoji_id: &str) -> Option<String> {
    ICONS.iter().find(|(id, _)| *id == custom_emoji_id).map(|(_, emoji)| (*emoji).to_owned())
}
