//! The names of types: the file's name and the path to the schema in it, cut to a readable length.

use std::borrow::Cow;

use super::names::{field, readable, service, type_};
use crate::schema::load::{FileRole, Node, steps};
use crate::schema::schemas::{Loc, Schemas};

/// The maximum number of characters of a type's name within a file. A number that tells equal names apart may follow.
const MOST: usize = 56;

/// The maximum number of characters of a type's name that come from the file.
const MOST_OF_FILE: usize = 36;

/// The name of a schema's type.
pub(crate) struct TypeName {
    pub(crate) module: Option<String>,
    pub(crate) name: String,
    /// The number to append if another type has this name. It depends only on the schema's place. `None` if the name
    /// contains the whole path to the schema.
    pub(crate) number: Option<u64>,
}

/// Returns the name of the type of a schema. It depends only on the schema's place, and on its title if the path is
/// long: a schema has the same type wherever it is referred to, and keeps it if other schemas are added.
pub(crate) fn at(schemas: &Schemas, loc: &Loc) -> TypeName {
    within(schemas, loc, |_| None)
}

/// Returns the name of the type of a schema like [`at`], but with the names of the unions' variants on the path to the
/// schema, which `variant` returns.
pub(crate) fn within<'v>(schemas: &Schemas, loc: &Loc, variant: impl Fn(&Loc) -> Option<&'v str>) -> TypeName {
    let file = &schemas.files[loc.file];
    let stem = |folder: &str| {
        let path = file.path.strip_prefix(folder).unwrap_or(&file.path);
        type_(path.strip_suffix(".json").unwrap_or(path))
    };
    let (module, stem) = match file.role.by_path() {
        FileRole::Context => (None, "Context".to_owned()),
        FileRole::Event(name) => (Some(field(name.domain())), type_(name.event_type())),
        FileRole::Shared => (Some("shared".to_owned()), stem("shared/")),
        FileRole::Rpc(name, way) => (Some(service(name)), format!("{}{}", type_(name.method()), type_(way.name()))),
        FileRole::BesideRpc => (Some("rpc".to_owned()), stem("rpc/")),
        FileRole::Document | FileRole::MetaSchema | FileRole::LeftOut(_) => {
            (Some("documents".to_owned()), type_(document(&file.path)))
        }
    };
    let way = way(loc, variant);
    let whole = format!("{stem}{way}");
    if way.is_empty() || length(&whole) <= MOST {
        return TypeName { module, name: whole, number: None };
    }
    let head = cut(&stem, MOST_OF_FILE);
    let room = MOST - length(&head);
    let title = schemas.node(loc).and_then(|node| node.get("title")).and_then(Node::str).and_then(readable);
    let tail = title.map(|title| trimmed(&title).to_owned()).filter(|title| !title.is_empty() && length(title) <= room);
    let tail = tail.unwrap_or_else(|| last_words(&way, room));
    TypeName { module, name: head + &tail, number: Some(number(&loc.pointer)) }
}

/// Returns the name of a type that is named after two others: the first, and as much of the second as fits.
pub(crate) fn joined(first: &str, second: &str) -> String {
    if length(first) + length(second) <= MOST {
        return format!("{first}{second}");
    }
    let first = cut(first, MOST_OF_FILE.max(MOST.saturating_sub(length(second))));
    let second = last_words(second, MOST - length(&first));
    format!("{first}{second}")
}

/// Returns the path to a schema within its file, as a part of a name.
fn way<'v>(loc: &Loc, variant: impl Fn(&Loc) -> Option<&'v str>) -> String {
    let mut name = String::new();
    let mut way = steps(&loc.pointer).enumerate();
    while let Some((_, step)) = way.next() {
        match &*step {
            "properties" | "$defs" | "definitions" => {
                if let Some((_, key)) = way.next() {
                    name.push_str(&word(&key, "Property"));
                }
            }
            // not the singular of the list's name, which another property, event or file may have, now or later
            "items" => name.push_str("Item"),
            "additionalProperties" => name.push_str("Value"),
            "patternProperties" => {
                let key = way.next().map(|(_, key)| key).unwrap_or_default();
                // a regular expression that is a plain word is used as a name
                let is_word = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '^' | '$' | '_' | '-'));
                name.push_str(&if is_word { word(&key, "Value") } else { Cow::Borrowed("Value") });
            }
            "allOf" | "anyOf" | "oneOf" => {
                if let Some((index, _)) = way.next() {
                    let end = loc.pointer.match_indices('/').nth(index + 1).map_or(loc.pointer.len(), |(end, _)| end);
                    let pointer = loc.pointer.get(..end).unwrap_or_default().to_owned();
                    name.push_str(variant(&Loc { file: loc.file, pointer }).unwrap_or_default());
                }
            }
            key => name.push_str(&word(key, "Schema")),
        }
    }
    name
}

/// Returns a key as a part of a name, or `other` if the key has no letters.
fn word(key: &str, other: &'static str) -> Cow<'static, str> {
    match readable(key) {
        Some(name) => Cow::Owned(trimmed(&name).to_owned()),
        None => Cow::Borrowed(other),
    }
}

fn trimmed(name: &str) -> &str {
    name.trim_start_matches('_')
}

fn length(name: &str) -> usize {
    name.chars().count()
}

/// Returns the words of a name: each begins with a capital.
fn words(name: &str) -> Vec<&str> {
    let begins = name.char_indices().filter(|(_, c)| c.is_uppercase()).map(|(at, _)| at).filter(|at| *at > 0);
    let ends: Vec<usize> = begins.chain([name.len()]).collect();
    let starts = [0].into_iter().chain(ends.iter().copied());
    starts.zip(&ends).filter_map(|(start, end)| name.get(start..*end)).filter(|word| !word.is_empty()).collect()
}

/// Returns a name if it fits; otherwise its first words and a number, so that it still differs from names with the same
/// first words.
fn cut(name: &str, most: usize) -> String {
    if length(name) <= most { name.to_owned() } else { format!("{}{}", first_words(name, most - 4), number(name)) }
}

/// Returns the first words of a name that fit; if not even one fits, the beginning of the name.
fn first_words(name: &str, most: usize) -> String {
    let mut out = String::new();
    for word in words(name) {
        if length(&out) + length(word) > most {
            break;
        }
        out.push_str(word);
    }
    if out.is_empty() { name.chars().take(most).collect() } else { out }
}

/// Returns the last words of a name that fit; if not even one fits, the beginning of the last word.
fn last_words(name: &str, most: usize) -> String {
    let words = words(name);
    let (mut from, mut taken) = (words.len(), 0);
    while let Some(word) = from.checked_sub(1).and_then(|at| words.get(at)) {
        taken += length(word);
        if taken > most {
            break;
        }
        from -= 1;
    }
    match words.get(from..).filter(|words| !words.is_empty()) {
        Some(words) => words.concat(),
        None => words.last().map(|word| word.chars().take(most).collect()).unwrap_or_default(),
    }
}

/// Returns a number below 10,000 that depends only on the text: a hash (FNV-1a).
fn number(text: &str) -> u64 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash % 10_000
}

/// Returns the part of a document's URI that names its type: the path, or all after the scheme.
fn document(uri: &str) -> &str {
    let behind = uri.split_once(':').map_or(uri, |(_, behind)| behind);
    let path = match behind.strip_prefix("//") {
        Some(rest) => rest.split_once('/').map_or(rest, |(_, path)| path),
        None => behind,
    };
    path.strip_suffix(".json").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_name_is_spelled_with_code_points() {
        for (pointer, name) in [
            ("/properties/a_b/items", "ABItem"),
            ("/patternProperties/^.", "Value"),
            ("/patternProperties/^[a-z]+$", "Value"),
            ("/patternProperties/^x-/properties/+1", "XPlus1"),
            ("/properties/^.", "Property"),
            ("/properties/\u{200b}/items", "PropertyItem"),
            ("/properties/日本", "日本"),
            ("/not", "Not"),
        ] {
            let loc = Loc { file: 0, pointer: pointer.to_owned() };
            assert_eq!(way(&loc, |_| None), name, "{pointer}");
        }
    }

    #[test]
    fn variants_on_the_way_are_in_the_name() {
        let loc = Loc { file: 0, pointer: "/properties/way/oneOf/1/allOf/0/properties/kind".to_owned() };
        let variant = |at: &Loc| (at.pointer == "/properties/way/oneOf/1").then_some("Card");
        assert_eq!(way(&loc, variant), "WayCardKind");
    }

    #[test]
    fn long_names_keep_their_last_words() {
        assert_eq!(last_words("OrderItemProductPrice", 12), "ProductPrice");
        assert_eq!(last_words("OrderItemProductPrice", 11), "Price");
        assert_eq!(last_words("OrderItemProductPrice", 3), "Pri");
        assert_eq!(first_words("OrderItemProductPrice", 11), "OrderItem");
        assert_eq!(first_words("Ordering", 3), "Ord");
        let joined = joined(&"Order".repeat(11), &"Item".repeat(9));
        assert!(
            length(&joined) <= MOST && joined.starts_with("OrderOrder") && joined.ends_with("ItemItem"),
            "{joined}"
        );
        assert_ne!(cut(&"Order".repeat(11), 36), cut(&"Order".repeat(12), 36));
    }
}
