//! Views: a uniform, read-only access to generated structs, lists, maps and `serde_json::Value`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::{Const, Number};
use crate::received::Received;

/// A value that can be viewed as JSON.
pub trait View {
    /// Returns the JSON view of the value.
    fn view(&self) -> JsonView<'_>;
}

/// A borrowed view of a JSON value.
#[derive(Clone)]
pub enum JsonView<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// An integer.
    Signed(i64),
    /// A non-negative integer.
    Unsigned(u64),
    /// A number that is written as the `f64` of a field: all digits if it is whole and within 64 bits, else the shortest.
    Float(f64),
    /// A number that is written as a float of a `serde_json::Value`: the shortest digits.
    Shortest(f64),
    /// A constant of a schema.
    Constant(Number),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    Array(&'a dyn ArrayView),
    /// An object.
    Object(&'a dyn ObjectView),
}

/// A view of an array.
pub trait ArrayView {
    /// Returns the number of items.
    fn count(&self) -> usize;
    /// Returns the item at that index.
    fn item(&self, index: usize) -> Option<&dyn View>;
}

/// A callback that receives each member of an object.
pub type Visit<'f, 'a> = &'f mut dyn FnMut(&'a str, &'a dyn View) -> ControlFlow<()>;

/// A view of an object.
pub trait ObjectView {
    /// Returns the number of members.
    fn count(&self) -> usize;
    /// Returns the member of that name.
    fn member(&self, name: &str) -> Option<&dyn View>;
    /// Visits all members, always in the same order.
    fn each<'a>(&'a self, visit: Visit<'_, 'a>) -> ControlFlow<()>;
}

impl JsonView<'_> {
    /// Returns the number, in the notation in which it was received.
    pub(super) fn number(&self, received: Option<&Received>) -> Option<Number> {
        let notation = received.and_then(Received::notation);
        match self {
            Self::Signed(value) => Some(Number::Integer((*value).into())),
            Self::Unsigned(value) => Some(Number::Integer((*value).into())),
            Self::Float(value) => Some(Number::of_field(*value, notation)),
            Self::Shortest(value) => Some(Number::of_value(*value, notation)),
            Self::Constant(number) => Some(*number),
            _ => None,
        }
    }
}

macro_rules! simple {
    ($($type:ty => |$value:ident| $view:expr;)*) => {$(
        impl View for $type {
            fn view(&self) -> JsonView<'_> {
                let $value = self;
                $view
            }
        }
    )*};
}

simple! {
    () => |_value| JsonView::Null;
    bool => |value| JsonView::Boolean(*value);
    i8 => |value| JsonView::Signed((*value).into());
    i16 => |value| JsonView::Signed((*value).into());
    i32 => |value| JsonView::Signed((*value).into());
    i64 => |value| JsonView::Signed(*value);
    u8 => |value| JsonView::Unsigned((*value).into());
    u16 => |value| JsonView::Unsigned((*value).into());
    u32 => |value| JsonView::Unsigned((*value).into());
    u64 => |value| JsonView::Unsigned(*value);
    f64 => |value| JsonView::Float(*value);
    str => |value| JsonView::Text(Cow::Borrowed(value));
    String => |value| JsonView::Text(Cow::Borrowed(value));
}

impl<T: View + ?Sized> View for Box<T> {
    fn view(&self) -> JsonView<'_> {
        (**self).view()
    }
}

impl<T: View + ?Sized> View for &T {
    fn view(&self) -> JsonView<'_> {
        (**self).view()
    }
}

/// `None` is `null`.
impl<T: View> View for Option<T> {
    fn view(&self) -> JsonView<'_> {
        self.as_ref().map_or(JsonView::Null, View::view)
    }
}

impl<T: View> View for Vec<T> {
    fn view(&self) -> JsonView<'_> {
        JsonView::Array(self)
    }
}

impl<T: View> ArrayView for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> Option<&dyn View> {
        self.get(index).map(|item| item as &dyn View)
    }
}

macro_rules! object_view {
    ($map:ty $(, $value:ident)?) => {
        impl$(<$value: View>)? View for $map {
            fn view(&self) -> JsonView<'_> {
                JsonView::Object(self)
            }
        }

        impl$(<$value: View>)? ObjectView for $map {
            fn count(&self) -> usize {
                self.len()
            }

            fn member(&self, name: &str) -> Option<&dyn View> {
                self.get(name).map(|value| value as &dyn View)
            }

            fn each<'a>(&'a self, visit: Visit<'_, 'a>) -> ControlFlow<()> {
                self.iter().try_for_each(|(name, value)| visit(name, value))
            }
        }
    };
}

object_view!(BTreeMap<String, T>, T);
object_view!(Map<String, Value>);

impl View for Value {
    fn view(&self) -> JsonView<'_> {
        match self {
            Self::Null => JsonView::Null,
            Self::Bool(value) => JsonView::Boolean(*value),
            Self::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => JsonView::Unsigned(value),
                (_, Some(value)) => JsonView::Signed(value),
                // a number that isn't finite breaks every rule about numbers
                _ => JsonView::Shortest(number.as_f64().unwrap_or(f64::NAN)),
            },
            Self::String(text) => JsonView::Text(Cow::Borrowed(text)),
            Self::Array(items) => JsonView::Array(items),
            Self::Object(members) => JsonView::Object(members),
        }
    }
}

impl View for Const {
    fn view(&self) -> JsonView<'_> {
        match self {
            Self::Null => JsonView::Null,
            Self::Boolean(value) => JsonView::Boolean(*value),
            Self::Number(number) => JsonView::Constant(*number),
            Self::Text(text) => JsonView::Text(Cow::Borrowed(text)),
            Self::Array(items) => JsonView::Array(items),
            Self::Object(members) => JsonView::Object(members),
        }
    }
}

impl ArrayView for &'static [Const] {
    fn count(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> Option<&dyn View> {
        self.get(index).map(|item| item as &dyn View)
    }
}

impl ObjectView for &'static [(&'static str, Const)] {
    fn count(&self) -> usize {
        self.len()
    }

    fn member(&self, name: &str) -> Option<&dyn View> {
        let index = self.binary_search_by_key(&name, |(known, _)| known).ok()?;
        self.get(index).map(|(_, value)| value as &dyn View)
    }

    fn each<'a>(&'a self, visit: Visit<'_, 'a>) -> ControlFlow<()> {
        self.iter().try_for_each(|(name, value)| visit(name, value))
    }
}

/// Implements the view of a generated type.
///
/// - `view!(Order { "id" => id, "note" =>? note, "due" =>! due, ..extra });`: a struct. The field after `=>?` is an `Option`,
///   and `None` is viewed as an absent member; the one after `=>!` is a `Nullable`. `extra`, if given, is a map of the other
///   members
/// - `view!(Card { "kind" => = "card" });`: a member that is always the same word
/// - `view!(word Color);`: an enum of strings that has `as_str`
/// - `view!(union Timeout { Integer } { Never => "never" });`: an enum whose variants hold one value each, viewed as that value, or
///   stand for a word; `{ Deleted => "deleted" in "type" }` for an object with nothing but that member
/// - `view!(inner Tags);`: a struct around one value, viewed as that value
#[doc(hidden)]
#[macro_export]
macro_rules! __view {
    (word $type:ident) => {
        impl $crate::validate::schema::View for $type {
            fn view(&self) -> $crate::validate::schema::JsonView<'_> {
                $crate::validate::schema::JsonView::Text(::std::borrow::Cow::Borrowed(self.as_str()))
            }
        }
    };
    (union $type:ident { $($variant:ident),* $(,)? } $({ $($unit:ident => $word:literal $(in $tag:literal)?),* $(,)? })?) => {
        impl $crate::validate::schema::View for $type {
            fn view(&self) -> $crate::validate::schema::JsonView<'_> {
                match self {
                    $(Self::$variant(value) => $crate::validate::schema::View::view(value),)*
                    $($(Self::$unit => $crate::__view!(unit $word $(in $tag)?),)*)?
                }
            }
        }
    };
    (unit $word:literal) => {
        $crate::validate::schema::JsonView::Text(::std::borrow::Cow::Borrowed($word))
    };
    (unit $word:literal in $tag:literal) => {{
        const MEMBERS: &'static [(&'static str, $crate::validate::schema::Const)] =
            &[($tag, $crate::validate::schema::Const::Text($word))];
        $crate::validate::schema::JsonView::Object(&MEMBERS)
    }};
    (inner $type:ident) => {
        impl $crate::validate::schema::View for $type {
            fn view(&self) -> $crate::validate::schema::JsonView<'_> {
                $crate::validate::schema::View::view(&self.0)
            }
        }
    };
    ($type:ident { $($name:literal => $(? $optional:ident)? $(! $nullable:ident)? $(= $word:literal)? $($field:ident)?),* $(,)? $(.. $extra:ident)? }) => {
        impl $crate::validate::schema::View for $type {
            fn view(&self) -> $crate::validate::schema::JsonView<'_> {
                $crate::validate::schema::JsonView::Object(self)
            }
        }
        impl $crate::validate::schema::ObjectView for $type {
            fn count(&self) -> usize {
                0 $(
                    $(+ usize::from(self.$optional.is_some()))?
                    $(+ usize::from(!self.$nullable.is_absent()))?
                    $(+ { let _: &str = $word; 1 })?
                    $(+ { let _ = &self.$field; 1 })?
                )* $(+ $crate::validate::schema::ObjectView::count(&self.$extra))?
            }

            fn member(&self, name: &str) -> ::std::option::Option<&dyn $crate::validate::schema::View> {
                match name {
                    $($name => {
                        $(self.$optional.as_ref().map(|value| value as &dyn $crate::validate::schema::View))?
                        $(if self.$nullable.is_absent() { ::std::option::Option::None } else { ::std::option::Option::Some(&self.$nullable) })?
                        $(::std::option::Option::Some(&$word))?
                        $(::std::option::Option::Some(&self.$field))?
                    })*
                    _ => {
                        $(if true {
                            return $crate::validate::schema::ObjectView::member(&self.$extra, name);
                        })?
                        ::std::option::Option::None
                    }
                }
            }

            fn each<'a>(
                &'a self,
                visit: $crate::validate::schema::Visit<'_, 'a>,
            ) -> ::std::ops::ControlFlow<()> {
                $(
                    $(if let ::std::option::Option::Some(value) = &self.$optional {
                        visit($name, value)?;
                    })?
                    $(if !self.$nullable.is_absent() {
                        visit($name, &self.$nullable)?;
                    })?
                    $(visit($name, &$word)?;)?
                    $(visit($name, &self.$field)?;)?
                )*
                $($crate::validate::schema::ObjectView::each(&self.$extra, &mut *visit)?;)?
                let _ = visit;
                ::std::ops::ControlFlow::Continue(())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Nullable;

    struct Order {
        id: u64,
        note: Option<String>,
        due: Nullable<u64>,
        cause: Option<Box<Order>>,
        color: Color,
        payment: Option<Payment>,
        extra: Map<String, Value>,
    }
    crate::__view!(Order {
        "id" => id,
        "note" =>? note,
        "due" =>! due,
        "cause" =>? cause,
        "the/color" => color,
        "payment" => payment,
        ..extra
    });

    enum Color {
        Red,
    }
    impl Color {
        fn as_str(&self) -> &'static str {
            match self {
                Self::Red => "red",
            }
        }
    }
    crate::__view!(word Color);

    enum Payment {
        Card(Card),
        Tags(Tags),
        Cash,
        Voucher,
    }
    crate::__view!(union Payment { Card, Tags } { Cash => "cash", Voucher => "voucher" in "kind" });

    struct Card {}
    crate::__view!(Card { "kind" => = "card" });

    struct Tags(Vec<String>);
    crate::__view!(inner Tags);

    /// Converts a view to a `Value`.
    fn tree(value: &dyn View) -> Value {
        match value.view() {
            JsonView::Null => Value::Null,
            JsonView::Boolean(value) => value.into(),
            JsonView::Signed(value) => value.into(),
            JsonView::Unsigned(value) => value.into(),
            JsonView::Float(value) | JsonView::Shortest(value) => value.into(),
            JsonView::Constant(number) => number.to_string().into(),
            JsonView::Text(text) => text.into(),
            JsonView::Array(items) => (0..items.count()).filter_map(|index| items.item(index)).map(tree).collect(),
            JsonView::Object(members) => {
                let mut all = Map::new();
                let _ = members.each(&mut |name, value| {
                    assert_eq!(members.member(name).map(tree), Some(tree(value)));
                    all.insert(name.to_owned(), tree(value));
                    ControlFlow::Continue(())
                });
                assert_eq!(all.len(), members.count());
                all.into()
            }
        }
    }

    #[test]
    fn generated_types_are_seen_as_their_json() {
        let cause = Order {
            id: 1,
            note: None,
            due: Nullable::Absent,
            cause: None,
            color: Color::Red,
            payment: None,
            extra: Map::new(),
        };
        let extra = [("more".to_owned(), json!([1, -1, 0.5, true, null]))].into_iter().collect();
        let payment = Some(Payment::Tags(Tags(vec!["a".to_owned()])));
        let order = Order {
            id: 2,
            note: Some("x".to_owned()),
            due: Nullable::Null,
            cause: Some(Box::new(cause)),
            color: Color::Red,
            payment,
            extra,
        };
        assert_eq!(
            tree(&order),
            json!({
                "id": 2,
                "note": "x",
                "due": null,
                "cause": {"id": 1, "the/color": "red", "payment": null},
                "the/color": "red",
                "payment": ["a"],
                "more": [1, -1, 0.5, true, null],
            })
        );
        assert_eq!(tree(&Payment::Card(Card {})), json!({ "kind": "card" }));
        assert_eq!(tree(&Payment::Voucher), json!({ "kind": "voucher" }));
        assert_eq!(tree(&Payment::Cash), json!("cash"));
        assert!(matches!(order.view(), JsonView::Object(members) if members.member("other").is_none()));
    }
}
