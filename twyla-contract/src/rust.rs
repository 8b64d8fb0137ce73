//! The Rust names for contract names: one rule each for types, fields and modules. Names on the wire don't change.

/// Rust's keywords, strict and reserved, of all editions.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Returns whether a name is a keyword of Rust, strict or reserved, in any edition.
///
/// ```
/// assert!(twyla_contract::rust::is_keyword("fn") && !twyla_contract::rust::is_keyword("union"));
/// ```
#[must_use]
pub fn is_keyword(name: &str) -> bool {
    name == "Self" || KEYWORDS.contains(&name)
}

/// Returns the name of a field or module: `channel-id` becomes `channel_id`, `type` `type_`, `2fa` `_2fa`, `Ünïcode`
/// `ünïcode`, `$ref-like` `ref_like`, `+1` `plus_1`.
///
/// ```
/// assert_eq!(twyla_contract::rust::field_name("userID"), "user_id");
/// ```
#[must_use]
pub fn field_name(wire: &str) -> String {
    finished(words(wire).join("_"))
}

/// Returns the name of a type or variant: `user_input` becomes `UserInput`, `2fa_sent` `_2faSent`, `Self` `Self_`.
///
/// ```
/// assert_eq!(twyla_contract::rust::type_name("user.created"), "UserCreated");
/// ```
#[must_use]
pub fn type_name(wire: &str) -> String {
    let mut name = String::new();
    for word in words(wire) {
        // keeps numbers apart: `v1_2` and `v12` are different names
        if name.ends_with(|c: char| c.is_numeric()) && word.starts_with(|c: char| c.is_numeric()) {
            name.push('_');
        }
        let mut chars = word.chars();
        name.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(chars.as_str());
    }
    finished(name)
}

fn finished(mut name: String) -> String {
    if name.is_empty() {
        name.push_str("empty");
    }
    if !name.starts_with(|c: char| c.is_alphabetic()) {
        name.insert(0, '_');
    }
    if KEYWORDS.contains(&name.as_str()) || name == "Self" {
        name.push('_');
    }
    name
}

/// Returns the words of a name in lower case: split at symbols, and before capitals that begin a word.
fn words(wire: &str) -> Vec<String> {
    let chars: Vec<char> = wire.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for (i, &c) in chars.iter().enumerate() {
        // `²` and its like are numbers in Unicode, but not allowed in Rust names
        if !c.is_alphanumeric() || (c.is_numeric() && !c.is_ascii_digit()) {
            let sign = match c {
                '+' => "plus",
                '-' => "minus",
                _ => "",
            };
            // a sign before a number is part of the name: `+1` and `-1` differ
            if !sign.is_empty() && i == 0 && chars.get(1).is_some_and(|next| next.is_numeric()) {
                words.push(sign.to_owned());
            }
            open = false;
            continue;
        }
        let before = i.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(i + 1);
        let begins = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase() || b.is_numeric() || (b.is_uppercase() && after.is_some_and(|a| a.is_lowercase()))
            });
        if !open || begins {
            words.push(String::new());
            open = true;
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    // names of only symbols differ by their code points
    if words.is_empty() { chars.iter().map(|c| format!("u{:x}", u32::from(*c))).collect() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        for (wire, rust) in [
            ("emission", "emission"),
            ("channel-id", "channel_id"),
            ("type", "type_"),
            ("2fa", "_2fa"),
            ("Ünïcode", "ünïcode"),
            ("$ref-like", "ref_like"),
            ("userID", "user_id"),
            ("HTTPServer", "http_server"),
            ("self", "self_"),
            ("", "empty"),
            ("+1", "plus_1"),
            ("-1", "minus_1"),
            ("$", "u24"),
            ("a b\tc", "a_b_c"),
            ("日本", "日本"),
            ("v1.2", "v1_2"),
        ] {
            assert_eq!(field_name(wire), rust, "{wire:?}");
        }
    }

    #[test]
    fn types() {
        for (wire, rust) in [
            ("user_input", "UserInput"),
            ("2fa_sent", "_2faSent"),
            ("self", "Self_"),
            ("user.created", "UserCreated"),
            ("v1_2", "V1_2"),
            ("v12", "V12"),
            ("ünïcode", "Ünïcode"),
            ("APIKey", "ApiKey"),
        ] {
            assert_eq!(type_name(wire), rust, "{wire:?}");
        }
    }
}
