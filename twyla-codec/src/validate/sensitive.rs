//! `x-sensitive`: what is said of a value that is nobody's to see, and a text in which such values are not shown.

use std::fmt;

use serde_json::Value;

use crate::violation::Refusal;

/// Stands where a sensitive value would.
const HIDDEN: &str = "[sensitive]";

/// A sensitive value as `Debug` shows it.
pub struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Keywords whose messages tell of names and numbers, and never of values further in.
const TELL_NO_VALUE: [&str; 7] =
    ["required", "additionalProperties", "minItems", "maxItems", "minProperties", "maxProperties", "json"];

/// Takes the values out of what is said of sensitive ones. `pointers` are JSON Pointers in which a step `*` is any step.
pub(crate) fn redact(mut refusal: Refusal, pointers: &[&str]) -> Refusal {
    for violation in &mut refusal.violations {
        if let Some(told) = told(&violation.pointer, violation.keyword, pointers) {
            violation.message = told;
        }
    }
    refusal
}

/// What is said in the place of a message about the value at a JSON Pointer, where that may show something of a sensitive
/// value; none where it may be said as it is.
pub fn told<P: AsRef<str>>(at: &str, keyword: &str, sensitive: &[P]) -> Option<String> {
    let shows = sensitive.iter().any(|pointer| may_show(at, keyword, pointer.as_ref()));
    shows.then(|| format!("breaks `{keyword}`; the value is sensitive and not shown"))
}

/// Whether the message may have some of the sensitive value in it: that is the value, lies in it, or has it inside.
fn may_show(at: &str, keyword: &str, pointer: &str) -> bool {
    let (mut sensitive, mut at) = (pointer.split('/').skip(1), at.split('/').skip(1));
    loop {
        match (sensitive.next(), at.next()) {
            (None, _) => return true,
            (Some(_), None) => return !TELL_NO_VALUE.contains(&keyword),
            (Some(wanted), Some(step)) if wanted == "*" || wanted == step => {}
            // of a long name only the beginning is told
            (Some(wanted), Some(step)) if step.strip_suffix('…').is_some_and(|step| wanted.starts_with(step)) => {}
            (Some(_), Some(_)) => return false,
        }
    }
}

/// Puts a word in the place of each sensitive value of a JSON document.
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
        // it has another shape than its contract says: who knows what it is
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
    fn what_may_show_the_value_is_not_said() {
        for (pointer, keyword) in [
            ("/card/number", "pattern"),
            ("/card/number/0", "type"),
            ("/tokens/3", "minLength"),
            ("/tokens", "uniqueItems"),
            ("/card", "type"),
            ("", "const"),
            ("/a~1b", "maximum"),
        ] {
            let hidden = format!("breaks `{keyword}`; the value is sensitive and not shown");
            assert_eq!(said(pointer, keyword), hidden, "{pointer}");
        }
        for (pointer, keyword) in [("/card", "required"), ("/card/holder", "minLength"), ("/tokens", "maxItems")] {
            assert_eq!(said(pointer, keyword), "4111", "{pointer}");
        }
        // a long name, of which a message has the beginning
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
