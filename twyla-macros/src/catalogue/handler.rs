//! The errors of every handler function.

use super::Text;

/// The words that error messages use for a kind of handler.
pub(crate) struct HandlerKind {
    /// The attribute: `listener`.
    pub(crate) attribute: &'static str,
    /// A description of the function.
    pub(crate) signature: &'static str,
    /// The reason why the function can't be generic, for a note.
    pub(crate) one: &'static str,
    /// The object that the handler may outlive: `delivery` or `connection`.
    pub(crate) outlives: &'static str,
}

pub(crate) fn not_a_function(kind: &HandlerKind) -> Text {
    Text::new(format!("`#[{}]` belongs on a function", kind.attribute)).help(kind.signature)
}

pub(crate) fn not_async(name: &str) -> Text {
    Text::new(format!("handler `{name}` is not `async`")).help(format!("write `async fn {name}`"))
}

pub(crate) fn qualified(kind: &HandlerKind, name: &str, word: &str) -> Text {
    Text::new(format!("handler `{name}` cannot be `{word}`")).help(kind.signature)
}

pub(crate) fn takes_self(name: &str) -> Text {
    Text::new(format!("handler `{name}` cannot take `self`"))
        .help("make it a free function, and take the object as an argument `State<T>`")
}

pub(crate) fn generic(kind: &HandlerKind, name: &str, what: &str) -> Text {
    Text::new(format!("handler `{name}` cannot have {what}"))
        .note(format!("{}, so its function cannot be generic", kind.one))
        .help("write a concrete type instead")
}

pub(crate) fn reference(kind: &HandlerKind, name: &str, owned: &str) -> Text {
    Text::new(format!("handler `{name}` cannot take a reference"))
        .note(format!("a handler owns its arguments, because it may still run after the {} has ended", kind.outlives))
        .help(format!("write `{owned}`"))
}

pub(crate) fn bad_count(key: &str, written: &str, most: u16) -> Text {
    Text::new(format!("`{key}` cannot be {written}")).help(format!("write a number from 1 to {most}"))
}
