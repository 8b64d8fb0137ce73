//! Descriptions of values and schemas for messages.

use std::ops::ControlFlow;

use twyla_contract::text::shortened;

use super::{Choices, JsonView, Number, Types, View};
use crate::excerpt::quoted;
use crate::received::Received;

/// The maximum number of characters of a value in a message.
const SHOWN: usize = 60;
/// The number of values that a list shows before it counts the rest.
const LISTED: usize = 8;

/// Describes a value, as in "expected an integer, found the string "x"".
pub(super) fn described(view: &JsonView<'_>) -> String {
    match view {
        JsonView::Null => "null".to_owned(),
        JsonView::Boolean(value) => format!("the boolean `{value}`"),
        JsonView::Signed(value) => format!("the integer `{value}`"),
        JsonView::Unsigned(value) => format!("the integer `{value}`"),
        JsonView::Float(_) | JsonView::Shortest(_) | JsonView::Constant(_) => {
            format!("the number `{}`", number(view, None))
        }
        JsonView::Text(text) => format!("the string {}", quoted(text)),
        JsonView::Array(_) => "an array".to_owned(),
        JsonView::Object(_) => "an object".to_owned(),
    }
}

/// Returns the value as JSON, shortened. A number that is the whole value is shown as it was received.
pub(super) fn text(view: &JsonView<'_>, received: Option<&Received>) -> String {
    if let JsonView::Text(text) = view {
        return quoted(text);
    }
    let mut out = String::new();
    write(view, received, &mut out);
    shortened(&out, SHOWN).into_owned()
}

/// Appends a value, up to four times the length that is shown, so that a large value costs little.
fn write(view: &JsonView<'_>, received: Option<&Received>, out: &mut String) {
    if out.len() > 4 * SHOWN {
        return;
    }
    match view {
        JsonView::Null => out.push_str("null"),
        JsonView::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        JsonView::Signed(value) => out.push_str(&value.to_string()),
        JsonView::Unsigned(value) => out.push_str(&value.to_string()),
        JsonView::Float(_) | JsonView::Shortest(_) | JsonView::Constant(_) => out.push_str(&number(view, received)),
        JsonView::Text(text) => out.push_str(&quoted(text)),
        JsonView::Array(items) => {
            out.push('[');
            for index in 0..items.count().min(SHOWN) {
                out.push_str(if index == 0 { "" } else { "," });
                if let Some(item) = items.item(index) {
                    write(&item.view(), None, out);
                }
            }
            out.push(']');
        }
        JsonView::Object(members) => {
            out.push('{');
            let mut first = true;
            let _ = members.each(&mut |name, value| {
                if out.len() > 4 * SHOWN {
                    return ControlFlow::Break(());
                }
                out.push_str(if std::mem::take(&mut first) { "" } else { "," });
                out.push_str(&quoted(name));
                out.push(':');
                write(&value.view(), None, out);
                ControlFlow::Continue(())
            });
            out.push('}');
        }
    }
}

fn number(view: &JsonView<'_>, received: Option<&Received>) -> String {
    view.number(received).map_or_else(String::new, |number| number.to_string())
}

/// Describes a set of types, as in "expected an integer or null".
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

/// Describes the values of an `enum` or `const`, as in "is not one of 1, 2".
pub(super) fn choices(choices: &Choices) -> String {
    let words = choices.words.iter().map(|word| quoted(word));
    let integers = choices.integers.iter().map(|value| value.to_string());
    let numbers = choices.numbers.iter().map(|value| Number::Float(*value).to_string());
    let others = choices.others.iter().map(|value| text(&value.view(), None));
    let all = choices.count();
    let listed: Vec<String> = words.chain(integers).chain(numbers).chain(others).take(LISTED).collect();
    let more = if all > LISTED { format!(" and {} more", all - LISTED) } else { String::new() };
    format!("{}{}{more}", if all == 1 { "" } else { "one of " }, listed.join(", "))
}

/// Returns `1 item`, `2 items`.
pub(super) fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}
