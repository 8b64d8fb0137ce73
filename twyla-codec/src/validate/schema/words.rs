//! What messages say a value is.

use std::ops::ControlFlow;

use super::number::written;
use super::{Choices, Look, Number, Seen, Types};
use crate::excerpt::{quoted, shortened};

/// Characters of a value that a message shows.
const SHOWN: usize = 60;
/// Values that are listed before the others are only counted.
const LISTED: usize = 8;

/// As in "is the string "x", not an integer".
pub(super) fn described(seen: &Seen<'_>) -> String {
    match seen {
        Seen::Null => "null".to_owned(),
        Seen::Boolean(value) => format!("the boolean `{value}`"),
        Seen::Signed(value) => format!("the integer `{value}`"),
        Seen::Unsigned(value) => format!("the integer `{value}`"),
        Seen::Float(value) => format!("the number `{}`", written(*value)),
        Seen::Text(text) => format!("the string {}", quoted(text)),
        Seen::Array(_) => "an array".to_owned(),
        Seen::Object(_) => "an object".to_owned(),
    }
}

/// The value as JSON, shortened.
pub(super) fn text(seen: &Seen<'_>) -> String {
    if let Seen::Text(text) = seen {
        return quoted(text);
    }
    let mut out = String::new();
    write(seen, &mut out);
    shortened(&out, SHOWN)
}

/// Goes no further than is shown, so that no value is too deep.
fn write(seen: &Seen<'_>, out: &mut String) {
    if out.len() > 4 * SHOWN {
        return;
    }
    match seen {
        Seen::Null => out.push_str("null"),
        Seen::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Seen::Signed(value) => out.push_str(&value.to_string()),
        Seen::Unsigned(value) => out.push_str(&value.to_string()),
        Seen::Float(value) => out.push_str(&written(*value)),
        Seen::Text(text) => out.push_str(&quoted(text)),
        Seen::Array(items) => {
            out.push('[');
            for index in 0..items.count().min(SHOWN) {
                out.push_str(if index == 0 { "" } else { "," });
                if let Some(item) = items.item(index) {
                    write(&item.look(), out);
                }
            }
            out.push(']');
        }
        Seen::Object(members) => {
            out.push('{');
            let mut first = true;
            let _ = members.each(&mut |name, value| {
                if out.len() > 4 * SHOWN {
                    return ControlFlow::Break(());
                }
                out.push_str(if std::mem::take(&mut first) { "" } else { "," });
                out.push_str(&quoted(name));
                out.push(':');
                write(&value.look(), out);
                ControlFlow::Continue(())
            });
            out.push('}');
        }
    }
}

/// As in "not an integer or null".
pub(super) fn types(types: Types) -> String {
    const NAMES: [(Types, &str); 7] = [
        (Types::STRING, "a string"),
        (Types::NUMBER, "a number"),
        (Types::INTEGER, "an integer"),
        (Types::BOOLEAN, "a boolean"),
        (Types::ARRAY, "an array"),
        (Types::OBJECT, "an object"),
        (Types::NULL, "null"),
    ];
    let names: Vec<&str> = NAMES.iter().filter(|(one, _)| types.has(*one)).map(|(_, name)| *name).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "anything".to_owned(),
    }
}

/// As in "is not one of 1, 2".
pub(super) fn choices(choices: &Choices) -> String {
    let words = choices.words.iter().map(|word| quoted(word));
    let integers = choices.integers.iter().map(|value| value.to_string());
    let numbers = choices.numbers.iter().map(|value| Number::Float(*value).to_string());
    let others = choices.others.iter().map(|value| text(&value.look()));
    let all = choices.count();
    let listed: Vec<String> = words.chain(integers).chain(numbers).chain(others).take(LISTED).collect();
    let more = if all > LISTED { format!(" and {} more", all - LISTED) } else { String::new() };
    format!("{}{}{more}", if all == 1 { "" } else { "one of " }, listed.join(", "))
}

/// `1 item`, `2 items`.
pub(super) fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}
