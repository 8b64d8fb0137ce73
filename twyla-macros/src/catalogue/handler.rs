//! What is wrong with a handler function, whatever it handles.

use super::Text;

/// What is handled, in the words of its errors.
pub(crate) struct Kind {
    /// The attribute: `listener`.
    pub(crate) attribute: &'static str,
    /// What a handler's function looks like.
    pub(crate) signature: &'static str,
    /// Why nothing may be left open in it.
    pub(crate) one: &'static str,
    /// What it may outlive.
    pub(crate) outlives: &'static str,
}

pub(crate) fn not_a_function(kind: &Kind) -> Text {
    Text::new(format!("`#[{}]` belongs on a function", kind.attribute)).help(kind.signature)
}

pub(crate) fn not_async(name: &str) -> Text {
    Text::new(format!("handler `{name}` is not `async`")).help(format!("write `async fn {name}`"))
}

pub(crate) fn qualified(kind: &Kind, name: &str, word: &str) -> Text {
    Text::new(format!("handler `{name}` cannot be `{word}`")).help(kind.signature)
}

pub(crate) fn takes_self(name: &str) -> Text {
    Text::new(format!("handler `{name}` cannot take `self`"))
        .help("make it a free function, and take what it needs of the object as `State<T>`")
}

pub(crate) fn generic(kind: &Kind, name: &str, what: &str) -> Text {
    Text::new(format!("handler `{name}` cannot have {what}"))
        .note(format!("{}, and nothing is left to be chosen when it is registered", kind.one))
        .help("write the type itself")
}

pub(crate) fn reference(kind: &Kind, name: &str, owned: &str) -> Text {
    Text::new(format!("handler `{name}` cannot take a reference"))
        .note(format!("a handler owns what it takes: it may go on when the {} is long gone", kind.outlives))
        .help(format!("write `{owned}`"))
}

pub(crate) fn bad_count(key: &str, written: &str) -> Text {
    Text::new(format!("`{key}` cannot be {written}")).help("write a number from 1 to 65535")
}
