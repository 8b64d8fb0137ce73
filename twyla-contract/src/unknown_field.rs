//! The messages for undeclared members and items that a schema refuses, the same in a program and on the command line.
//! The caller quotes the names of members.

use crate::text::shortened;

/// The maximum number of declared names in a message.
const MOST_NAMES: usize = 40;

/// Describes an undeclared member of an object, and lists the declared members.
///
/// ```
/// use twyla_contract::unknown_field::unknown;
/// assert_eq!(unknown("\"c\"", &["a", "b"]), "the member \"c\" is not allowed: the schema declares only `a` and `b`");
/// ```
#[must_use]
pub fn unknown(quoted: &str, declared: &[&str]) -> String {
    let names: Vec<String> = declared.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    let known = match &*names {
        [] => "no members".to_owned(),
        [one] => format!("only {one}"),
        [one, other] => format!("only {one} and {other}"),
        more => format!("only {}", more.join(", ")),
    };
    format!("the member {quoted} is not allowed: the schema declares {}", shortened(&known, 205))
}

/// Describes a member that `additionalProperties` refuses.
#[must_use]
pub fn undeclared(quoted: &str) -> String {
    format!("the member {quoted} is not allowed: the schema doesn't declare it")
}

/// Describes a member that `unevaluatedProperties` refuses.
#[must_use]
pub fn unevaluated(quoted: &str) -> String {
    format!("the member {quoted} is not allowed: no schema of the object declares it")
}

/// Describes an item that `unevaluatedItems` refuses.
#[must_use]
pub fn unevaluated_item(index: usize) -> String {
    format!("item {index} is not allowed: no schema of the array declares it")
}
