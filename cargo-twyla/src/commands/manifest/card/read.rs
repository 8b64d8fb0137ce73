//! Reads the TOML of a card: its keys, their types and the form of its names.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use twyla_contract::similar::{self, DidYouMean};
use twyla_contract::{EventName, Group, RpcName};

use super::mistake::Mistake;
use crate::commands::manifest::read::no_word;
use crate::support::verb::Verb;

/// The content of a service card.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Card {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) environment: Option<String>,
    pub(super) in_the_field: bool,
    /// The path of the schemas folder, relative to the card's folder.
    pub(super) schemas: Option<String>,
    /// The git revision of the schemas.
    pub(super) revision: Option<Named>,
    pub(super) emits: Vec<Named>,
    pub(super) listens: Vec<Listener>,
    pub(super) serves: Vec<Named>,
    pub(super) calls: Vec<Named>,
}

/// A name of a contract or a revision.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named {
    pub(super) name: String,
    /// The offset in the file.
    pub(super) at: usize,
}

/// An event that is listened to.
#[derive(Debug, PartialEq)]
pub(super) struct Listener {
    pub(super) event: Named,
    pub(super) group: String,
    pub(super) handler: Option<String>,
}

const KEYS: [&str; 10] =
    ["name", "version", "environment", "in-the-field", "schemas", "revision", "emits", "listens", "serves", "calls"];
const LISTENER_KEYS: [&str; 3] = ["event", "group", "handler"];

/// Reads a card.
///
/// # Errors
/// All its mistakes.
pub(super) fn read(text: &str) -> Result<Card, Vec<Mistake>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mistake = |error: &toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            Mistake { at, text: format!("is not valid TOML: {}", error.message()) }
        };
        return Err(errors.iter().map(mistake).collect());
    }
    let mut reader = Reader(Vec::new());
    let card = reader.card(table.get_ref());
    if reader.0.is_empty() { Ok(card) } else { Err(reader.0) }
}

/// Collects mistakes.
struct Reader(Vec<Mistake>);

type Value<'i> = Spanned<DeValue<'i>>;

impl Reader {
    fn mistake(&mut self, span: Range<usize>, text: impl Into<String>) {
        self.0.push(Mistake { at: span.start, text: text.into() });
    }

    fn card(&mut self, table: &DeTable<'_>) -> Card {
        let values = self.values(table, &KEYS);
        let get = |key: &str| values.get(key).copied();
        let card = Card {
            name: self.needed(get("name"), "name"),
            version: self.needed(get("version"), "version"),
            environment: get("environment").and_then(|value| self.word(value)),
            in_the_field: get("in-the-field").is_some_and(|value| self.bool(value)),
            schemas: get("schemas").and_then(|value| self.string(value)),
            revision: get("revision")
                .and_then(|value| Some(Named { name: self.string(value)?, at: value.span().start })),
            emits: self.names(get("emits"), Verb::Emits),
            listens: self.listeners(get("listens")),
            serves: self.names(get("serves"), Verb::Serves),
            calls: self.names(get("calls"), Verb::Calls),
        };
        let is_named = Verb::ALL.iter().any(|verb| values.contains_key(verb.key()));
        if !is_named {
            self.mistake(0..0, "the card names no contract: add `emits`, `listens`, `serves` or `calls`");
        }
        card
    }

    /// Returns the values of a table by their keys, and reports unknown and duplicate keys.
    fn values<'t, 'i>(
        &mut self,
        table: &'t DeTable<'i>,
        known: &[&'static str],
    ) -> BTreeMap<&'static str, &'t Value<'i>> {
        let mut values = BTreeMap::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            // a card's keys have `-`; `_`, as in manifests, is accepted
            let meant = name.replace('_', "-");
            match known.iter().find(|known| **known == meant) {
                Some(known) => {
                    if values.insert(*known, value).is_some() {
                        self.mistake(key.span(), format!("`{known}` occurs twice"));
                    }
                }
                None => {
                    let near = match similar::nearest(name, known.iter().copied()) {
                        None => format!(": there is {}", known.join(", ")),
                        near => DidYouMean(near).to_string(),
                    };
                    self.mistake(key.span(), format!("unknown key `{name}`{near}"));
                }
            }
        }
        values
    }

    fn expected<T>(&mut self, what: &str, value: &Value<'_>) -> Option<T> {
        let found = value.get_ref().type_str();
        let article = if found.starts_with(['a', 'i']) { "an" } else { "a" };
        self.mistake(value.span(), format!("expected {what}, found {article} {found}"));
        None
    }

    fn string(&mut self, value: &Value<'_>) -> Option<String> {
        match value.get_ref().as_str() {
            Some(text) => Some(text.to_owned()),
            None => self.expected("a string", value),
        }
    }

    fn bool(&mut self, value: &Value<'_>) -> bool {
        match value.get_ref().as_bool() {
            Some(value) => value,
            None => self.expected("a boolean", value).unwrap_or_default(),
        }
    }

    /// Reads a string without spaces.
    fn word(&mut self, value: &Value<'_>) -> Option<String> {
        let text = self.string(value)?;
        match no_word(&text) {
            None => Some(text),
            Some(why) => {
                self.mistake(value.span(), why);
                None
            }
        }
    }

    fn needed(&mut self, value: Option<&Value<'_>>, key: &str) -> String {
        match value {
            Some(value) => self.word(value).unwrap_or_default(),
            None => {
                self.mistake(0..0, format!("`{key}` is missing"));
                String::new()
            }
        }
    }

    fn array<'t, 'i>(&mut self, value: Option<&'t Value<'i>>, of: &str) -> &'t [Value<'i>] {
        let Some(value) = value else { return &[] };
        match value.get_ref().as_array() {
            Some(array) => array,
            None => {
                self.expected::<()>(of, value);
                &[]
            }
        }
    }

    fn names(&mut self, value: Option<&Value<'_>>, verb: Verb) -> Vec<Named> {
        let what = if verb.is_of_rpc() { "an array of RPCs" } else { "an array of events" };
        let mut names: Vec<Named> = Vec::new();
        for item in self.array(value, what) {
            let Some(named) = self.named(item, verb.is_of_rpc()) else { continue };
            match names.iter().any(|other| other.name == named.name) {
                true => self.mistake(item.span(), format!("`{}` occurs twice in `{}`", named.name, verb.key())),
                false => names.push(named),
            }
        }
        names
    }

    fn named(&mut self, value: &Value<'_>, is_rpc: bool) -> Option<Named> {
        let name = self.string(value)?;
        let parsed = match is_rpc {
            false => EventName::parse(&name).map(drop),
            true => RpcName::parse(&name).map(drop),
        };
        match parsed {
            Ok(()) => Some(Named { name, at: value.span().start }),
            Err(error) => {
                self.mistake(value.span(), error.to_string());
                None
            }
        }
    }

    fn listeners(&mut self, value: Option<&Value<'_>>) -> Vec<Listener> {
        let mut listeners: Vec<Listener> = Vec::new();
        for item in self.array(value, "an array of tables with `event` and `group`") {
            let Some(listener) = self.listener(item) else { continue };
            let same = |it: &Listener| (&it.event.name, &it.group) == (&listener.event.name, &listener.group);
            match listeners.iter().any(same) {
                true => self.mistake(
                    item.span(),
                    format!("the group `{}` listens to `{}` twice", listener.group, listener.event.name),
                ),
                false => listeners.push(listener),
            }
        }
        listeners
    }

    fn listener(&mut self, value: &Value<'_>) -> Option<Listener> {
        let Some(table) = value.get_ref().as_table() else {
            return self.expected("a table: { event = \"…\", group = \"…\" }", value);
        };
        let values = self.values(table, &LISTENER_KEYS);
        let get = |key: &str| values.get(key).copied();
        for key in ["event", "group"] {
            if get(key).is_none() {
                self.mistake(value.span(), format!("a listener without `{key}`"));
            }
        }
        let event = get("event").and_then(|event| self.named(event, false));
        let group = get("group").and_then(|value| self.group(value));
        let handler = get("handler").and_then(|handler| self.string(handler));
        Some(Listener { event: event?, group: group?, handler })
    }

    fn group(&mut self, value: &Value<'_>) -> Option<String> {
        let group = self.string(value)?;
        match Group::parse(&group) {
            Ok(_) => Some(group),
            Err(error) => {
                self.mistake(value.span(), error.to_string());
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<(usize, String)> {
        read(text).unwrap_err().into_iter().map(|it| (it.at, it.text)).collect()
    }

    #[test]
    fn a_card_says_what_a_service_does() {
        let card = read(
            "name = \"greeter\"\nversion = \"1\"\nin_the_field = true\nemits = [\"bot.reply\"]\n\
             [[listens]]\nevent = \"api.user_input\"\ngroup = \"bot\"\nhandler = \"greeter:answer\"\n",
        )
        .unwrap();
        assert_eq!((&*card.name, &*card.version, card.in_the_field), ("greeter", "1", true));
        assert_eq!(card.emits[0].name, "bot.reply");
        let listener = &card.listens[0];
        assert_eq!((&*listener.event.name, &*listener.group), ("api.user_input", "bot"));
        assert_eq!(listener.handler.as_deref(), Some("greeter:answer"));
    }

    #[test]
    fn every_mistake_is_reported_at_its_place() {
        let text = "nam = \"x\"\nversion = 1\nemits = \"a.b\"\nlistens = [{ event = \"a.b\", grup = \"g\" }]\nserves = [\"a\"]\n";
        let found = mistakes(text);
        let at = |needle: &str| text.find(needle).unwrap();
        assert!(found.contains(&(at("nam"), "unknown key `nam`; did you mean `name`?".to_owned())), "{found:?}");
        assert!(found.contains(&(at("1\n"), "expected a string, found an integer".to_owned())), "{found:?}");
        assert!(
            found.contains(&(at("\"a.b\""), "expected an array of events, found a string".to_owned())),
            "{found:?}"
        );
        assert!(found.contains(&(at("grup"), "unknown key `grup`; did you mean `group`?".to_owned())), "{found:?}");
        assert!(found.contains(&(at("{ event"), "a listener without `group`".to_owned())), "{found:?}");
        assert!(found.iter().any(|(place, _)| *place == at("\"a\"]")), "{found:?}");
        assert_eq!(found.len(), 7, "{found:?}");
    }

    #[test]
    fn text_that_is_not_toml_is_reported_at_its_place() {
        let found = mistakes("name = \"x\nversion = 1");
        assert!(found[0].1.starts_with("is not valid TOML: "), "{found:?}");
        assert_eq!(mistakes("")[0].1, "`name` is missing");
    }

    #[test]
    fn a_name_is_given_once() {
        let head = "name = \"x\"\nversion = \"1\"\n";
        let twice = mistakes(&format!("{head}emits = [\"a.b\", \"a.b\"]"));
        assert_eq!(twice[0].1, "`a.b` occurs twice in `emits`");
        let listener = "{ event = \"a.b\", group = \"g\" }";
        let twice = mistakes(&format!("{head}listens = [{listener}, {listener}]"));
        assert_eq!(twice[0].1, "the group `g` listens to `a.b` twice");
        assert!(mistakes(head)[0].1.starts_with("the card names no contract: "));
    }
}
