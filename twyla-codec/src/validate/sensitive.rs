//! `x-sensitive`: hides sensitive values in error messages and in JSON documents that are shown.

use std::fmt;

use serde_json::Value;

use crate::violation::Refusal;

/// The placeholder of a sensitive value.
const HIDDEN: &str = "[sensitive]";

/// The `Debug` form of a sensitive value.
pub struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Keywords whose messages contain names and numbers, and never nested values.
const MESSAGES_WITHOUT_VALUES: [&str; 7] =
    ["required", "additionalProperties", "minItems", "maxItems", "minProperties", "maxProperties", "json"];

/// Removes sensitive values from the messages. `pointers` are JSON Pointers (`*` matches any key or index).
pub(crate) fn redact(mut refusal: Refusal, pointers: &[&str]) -> Refusal {
    for violation in &mut refusal.violations {
        if let Some(message) = masked_message(&violation.pointer, violation.keyword, pointers) {
            violation.message = message;
        }
    }
    refusal
}

/// Returns the text that replaces a message about the value at a JSON Pointer, or `None` if the message can't reveal
/// anything of a sensitive value.
pub fn masked_message<P: AsRef<str>>(at: &str, keyword: &str, sensitive: &[P]) -> Option<String> {
    let shows = sensitive.iter().any(|pointer| may_show(at, keyword, pointer.as_ref()));
    shows.then(|| format!("the value breaks `{keyword}`; it is sensitive, so it is not shown"))
}

/// Returns whether a message about the value at `at` may contain the sensitive value: `at` is that value, a part of it,
/// or a value that contains it.
fn may_show(at: &str, keyword: &str, pointer: &str) -> bool {
    let (mut sensitive, mut at) = (pointer.split('/').skip(1), at.split('/').skip(1));
    loop {
        match (sensitive.next(), at.next()) {
            (None, _) => return true,
            (Some(_), None) => return !MESSAGES_WITHOUT_VALUES.contains(&keyword),
            (Some(wanted), Some(step)) if wanted == "*" || wanted == step => {}
            // a pointer holds only the beginning of a long name
            (Some(wanted), Some(step)) if step.strip_suffix('…').is_some_and(|step| wanted.starts_with(step)) => {}
            (Some(_), Some(_)) => return false,
        }
    }
}

/// Replaces each sensitive value of a JSON document by a placeholder.
pub fn hide(document: &mut Value, pointers: &[String]) {
    for pointer in pointers {
        let steps: Vec<String> =
            pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        hide_at(document, &steps);
    }
}

fn hide_at(value: &mut Value, steps: &[String]) {
    let Some((step, rest)) = steps.split_first() else {
        *value = HIDDEN.into();
        return;
    };
    let index = step.parse::<usize>().ok();
    match value {
        Value::Object(members) if step == "*" => members.values_mut().for_each(|value| hide_at(value, rest)),
        Value::Array(items) if step == "*" => items.iter_mut().for_each(|value| hide_at(value, rest)),
        Value::Object(members) if index.is_none() || members.contains_key(step) => {
            if let Some(value) = members.get_mut(step) {
                hide_at(value, rest);
            }
        }
        Value::Array(items) if index.is_some() => {
            if let Some(value) = index.and_then(|index| items.get_mut(index)) {
                hide_at(value, rest);
            }
        }
        // the value's shape differs from the contract, so hide all of it
        _ => *value = HIDDEN.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::violation::Violation;

    fn said(pointer: &str, keyword: &'static str) -> String {
        let violation = Violation { pointer: pointer.to_owned(), keyword, message: "4111".to_owned() };
        let refusal = redact(Refusal { violations: vec![violation] }, &["/card/number", "/tokens/*", "/a~1b"]);
        refusal.violations[0].message.clone()
    }

    #[test]
    fn messages_never_show_sensitive_values() {
        for (pointer, keyword) in [
            ("/card/number", "pattern"),
            ("/card/number/0", "type"),
            ("/tokens/3", "minLength"),
            ("/tokens", "uniqueItems"),
            ("/card", "type"),
            ("", "const"),
            ("/a~1b", "maximum"),
        ] {
            let hidden = format!("the value breaks `{keyword}`; it is sensitive, so it is not shown");
            assert_eq!(said(pointer, keyword), hidden, "{pointer}");
        }
        for (pointer, keyword) in [("/card", "required"), ("/card/holder", "minLength"), ("/tokens", "maxItems")] {
            assert_eq!(said(pointer, keyword), "4111", "{pointer}");
        }
        // a long name, cut in a pointer
        let (long, cut) = ("n".repeat(250), format!("/{}…", "n".repeat(200)));
        assert!(may_show(&cut, "pattern", &format!("/{long}")) && !may_show(&cut, "pattern", "/m"));
    }

    #[test]
    fn documents_are_shown_without() {
        let pointers = ["/card/number", "/tokens/*", "/a~1b/c", "/list/x", "/pair/1"].map(str::to_owned);
        let mut document = json!({
            "card": {"number": 4111, "holder": "x"}, "tokens": [1, 2], "a/b": "whole", "d": 1, "list": [1], "pair": {"a": 1},
        });
        hide(&mut document, &pointers);
        let shown = json!({
            "card": {"number": HIDDEN, "holder": "x"}, "tokens": [HIDDEN, HIDDEN], "a/b": HIDDEN, "d": 1, "list": HIDDEN,
            "pair": HIDDEN,
        });
        let mut pair = json!({"pair": [1, 2, 3]});
        hide(&mut pair, &pointers);
        assert_eq!(pair, json!({"pair": [1, HIDDEN, 3]}));
        assert_eq!(document, shown);
    }
}
