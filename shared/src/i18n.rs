//! Texts for people, from the same catalogue that the pages read (`static/locales`).

use std::collections::BTreeMap;

/// The languages there are.
pub const LOCALES: [&str; 2] = ["en", "tr"];

const ENGLISH: &str = include_str!("../../static/locales/en.json");
const TURKISH: &str = include_str!("../../static/locales/tr.json");

/// Whether `locale` is one of [`LOCALES`].
pub fn is_known(locale: &str) -> bool {
    LOCALES.contains(&locale)
}

/// The texts that Parley itself writes (keys `system.*` and `telegram.*`), in every language.
#[derive(Debug)]
pub struct Catalogue {
    default: &'static str,
    texts: BTreeMap<(&'static str, String), String>,
}

impl Catalogue {
    /// Reads the catalogue; `default_locale` stands in for unknown languages.
    pub fn load(default_locale: &str) -> crate::Result<Self> {
        let mut texts = BTreeMap::new();
        for (locale, json) in [("en", ENGLISH), ("tr", TURKISH)] {
            let all: BTreeMap<String, serde_json::Value> =
                serde_json::from_str(json).map_err(crate::Error::internal)?;
            let ours = all.into_iter().filter(|(key, _)| key.starts_with("system.") || key.starts_with("telegram."));
            texts.extend(ours.filter_map(|(key, text)| Some(((locale, key), text.as_str()?.to_owned()))));
        }
        let default = if default_locale == "tr" { "tr" } else { "en" };
        Ok(Self { default, texts })
    }

    /// The text of `key` in `locale` (its first subtag counts, the default language stands in) with `{name}` replaced.
    pub fn text(&self, locale: Option<&str>, key: &str, values: &[(&str, &str)]) -> String {
        let language = locale.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default().to_ascii_lowercase();
        let language = LOCALES.into_iter().find(|known| *known == language).unwrap_or(self.default);
        let text = self.texts.get(&(language, key.to_owned())).map_or(key, String::as_str);
        fill(text, values)
    }
}

/// Replaces each `{name}` in one pass, so that a value which looks like a placeholder stays as it is.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let value = after
            .split_once('}')
            .and_then(|(name, tail)| values.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value, tail)));
        if let Some((value, tail)) = value {
            filled.push_str(value);
            rest = tail;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_looks_like_a_placeholder_stays_as_it_is() {
        assert_eq!(fill("{name} on {page}: {x}", &[("name", "{page}"), ("page", "/cart")]), "{page} on /cart: {x}");
    }

    #[test]
    fn an_unknown_language_gets_the_default_one() {
        let catalogue = Catalogue::load("tr").unwrap();

        assert_eq!(catalogue.text(Some("de-AT"), "system.visitor", &[]), "Ziyaretçi");
        assert_eq!(catalogue.text(Some("en-GB"), "system.visitor", &[]), "Visitor");
    }
}
