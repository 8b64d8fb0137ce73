//! The error messages for undeclared members and items that a contract refuses.

use twyla_contract::text::shortened;

use crate::excerpt::quoted;

/// The maximum number of declared names in a message.
const MOST_NAMES: usize = 40;

/// Describes an undeclared member of an object with these declared members.
pub(crate) fn unknown(name: &str, declared: &[&str]) -> String {
    let names: Vec<String> = declared.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    let known = match &*names {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [one, other] => format!("{one} or {other}"),
        more => more.join(", "),
    };
    format!("{} (it has {})", undeclared(name), shortened(&known, 200))
}

/// Describes a member that `additionalProperties` refuses.
pub(crate) fn undeclared(name: &str) -> String {
    format!("has the member {}, which the schema doesn't declare and doesn't allow", quoted(name))
}

/// Describes a member that `unevaluatedProperties` refuses.
pub(crate) fn unevaluated(name: &str) -> String {
    format!("has the member {}, which no schema declares, and such members are not allowed", quoted(name))
}

/// Describes an item that `unevaluatedItems` refuses.
pub(crate) fn unevaluated_item(index: usize) -> String {
    format!("has an item {index} that no schema declares, and such items are not allowed")
}
