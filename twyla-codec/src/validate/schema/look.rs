//! Values as rules see them, whatever type they have: generated structs, lists, maps, and `serde_json::Value`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::{Const, Number};

/// A value that rules can be evaluated over.
pub trait Look {
    /// What it is, as JSON.
    fn look(&self) -> Seen<'_>;
}

/// What a value is, as JSON.
#[derive(Clone)]
pub enum Seen<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A whole number.
    Signed(i64),
    /// A whole number that isn't negative.
    Unsigned(u64),
    /// Any number.
    Float(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    Array(&'a dyn ArrayView),
    /// An object.
    Object(&'a dyn ObjectView),
}

/// An array.
pub trait ArrayView {
    /// How many items it has.
    fn count(&self) -> usize;
    /// The item at that index.
    fn item(&self, index: usize) -> Option<&dyn Look>;
}

/// What is called with each member of an object.
pub type Visit<'f, 'a> = &'f mut dyn FnMut(&'a str, &'a dyn Look) -> ControlFlow<()>;

/// An object.
pub trait ObjectView {
    /// How many members it has.
    fn count(&self) -> usize;
    /// The member of that name.
    fn member(&self, name: &str) -> Option<&dyn Look>;
    /// Visits each member, in the same order each time.
    fn each<'a>(&'a self, visit: Visit<'_, 'a>) -> ControlFlow<()>;
}

impl Seen<'_> {
    pub(super) fn number(&self) -> Option<Number> {
        match self {
            Self::Signed(value) => Some(Number::Integer((*value).into())),
            Self::Unsigned(value) => Some(Number::Integer((*value).into())),
            Self::Float(value) => Some(Number::Float(*value)),
            _ => None,
        }
    }
}

macro_rules! simple {
    ($($type:ty => |$value:ident| $seen:expr;)*) => {$(
        impl Look for $type {
            fn look(&self) -> Seen<'_> {
                let $value = self;
                $seen
            }
        }
    )*};
}

simple! {
    () => |_value| Seen::Null;
    bool => |value| Seen::Boolean(*value);
    i64 => |value| Seen::Signed(*value);
    u64 => |value| Seen::Unsigned(*value);
    f64 => |value| Seen::Float(*value);
    str => |value| Seen::Text(Cow::Borrowed(value));
    String => |value| Seen::Text(Cow::Borrowed(value));
}

impl<T: Look + ?Sized> Look for Box<T> {
    fn look(&self) -> Seen<'_> {
        (**self).look()
    }
}

impl<T: Look + ?Sized> Look for &T {
    fn look(&self) -> Seen<'_> {
        (**self).look()
    }
}

/// A value that may be `null`.
impl<T: Look> Look for Option<T> {
    fn look(&self) -> Seen<'_> {
        self.as_ref().map_or(Seen::Null, Look::look)
    }
}

impl<T: Look> Look for Vec<T> {
    fn look(&self) -> Seen<'_> {
        Seen::Array(self)
    }
}

impl<T: Look> ArrayView for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> Option<&dyn Look> {
        self.get(index).map(|item| item as &dyn Look)
    }
}

impl<T: Look> Look for BTreeMap<String, T> {
    fn look(&self) -> Seen<'_> {
        Seen::Object(self)
    }
}

impl<T: Look> ObjectView for BTreeMap<String, T> {
    fn count(&self) -> usize {
        self.len()
    }

    fn member(&self, name: &str) -> Option<&dyn Look> {
        self.get(name).map(|value| value as &dyn Look)
    }

    fn each<'a>(&'a self, visit: Visit<'_, 'a>) -> ControlFlow<()> {
        self.iter().try_for_each(|(name, value)| visit(name, value))
    }
}

impl Look for Map<String, Value> {
    fn look(&self) -> Seen<'_> {
        Seen::Object(self)
    }
}

impl ObjectView for Map<String, Value> {
    fn count(&self) -> usize {
        self.len()
    }

    fn member(&self, name: &str) -> Option<&dyn Look> {
        self.get(name).map(|value| value as &dyn Look)
    }

    fn each<'a>(&'a self, visit: Visit<'_, 'a>) -> ControlFlow<()> {
        self.iter().try_for_each(|(name, value)| visit(name, value))
    }
}

impl Look for Value {
    fn look(&self) -> Seen<'_> {
        match self {
            Self::Null => Seen::Null,
            Self::Bool(value) => Seen::Boolean(*value),
            Self::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => Seen::Unsigned(value),
                (_, Some(value)) => Seen::Signed(value),
                // a number that isn't finite is none of JSON's, and breaks every rule about numbers
                _ => Seen::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Self::String(text) => Seen::Text(Cow::Borrowed(text)),
            Self::Array(items) => Seen::Array(items),
            Self::Object(members) => Seen::Object(members),
        }
    }
}

impl Look for Const {
    fn look(&self) -> Seen<'_> {
        match self {
            Self::Null => Seen::Null,
            Self::Boolean(value) => Seen::Boolean(*value),
            Self::Number(Number::Float(value)) => Seen::Float(*value),
            Self::Number(Number::Integer(value)) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => Seen::Unsigned(value),
                (_, Ok(value)) => Seen::Signed(value),
                #[expect(clippy::cast_precision_loss, reason = "a value of that size is no integer type's")]
                _ => Seen::Float(*value as f64),
            },
            Self::Text(text) => Seen::Text(Cow::Borrowed(text)),
            Self::Array(items) => Seen::Array(items),
            Self::Object(members) => Seen::Object(members),
        }
    }
}

impl ArrayView for &'static [Const] {
    fn count(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> Option<&dyn Look> {
        self.get(index).map(|item| item as &dyn Look)
    }
}

impl ObjectView for &'static [(&'static str, Const)] {
    fn count(&self) -> usize {
        self.len()
    }

    fn member(&self, name: &str) -> Option<&dyn Look> {
        let index = self.binary_search_by_key(&name, |(known, _)| known).ok()?;
        self.get(index).map(|(_, value)| value as &dyn Look)
    }

    fn each<'a>(&'a self, visit: Visit<'_, 'a>) -> ControlFlow<()> {
        self.iter().try_for_each(|(name, value)| visit(name, value))
    }
}

/// How rules see a generated type.
///
/// - `view!(Order { "id" => id, "note" =>? note, ..extra });`: a struct; what stands after `=>?` is an `Option` and no
///   member where it is `None`, and `extra`, if there is one, is a map of the other members
/// - `view!(word Color);`: an enum of words that has `as_str`
/// - `view!(union Payment { Card, Cash });`: an enum whose variants hold a value each, which is what is seen
/// - `view!(inner Tags);`: a struct around one value, which is what is seen
#[doc(hidden)]
#[macro_export]
macro_rules! __view {
    (word $type:ident) => {
        impl $crate::validate::schema::Look for $type {
            fn look(&self) -> $crate::validate::schema::Seen<'_> {
                $crate::validate::schema::Seen::Text(::std::borrow::Cow::Borrowed(self.as_str()))
            }
        }
    };
    (union $type:ident { $($variant:ident),* $(,)? }) => {
        impl $crate::validate::schema::Look for $type {
            fn look(&self) -> $crate::validate::schema::Seen<'_> {
                match self {
                    $(Self::$variant(value) => $crate::validate::schema::Look::look(value),)*
                }
            }
        }
    };
    (inner $type:ident) => {
        impl $crate::validate::schema::Look for $type {
            fn look(&self) -> $crate::validate::schema::Seen<'_> {
                $crate::validate::schema::Look::look(&self.0)
            }
        }
    };
    ($type:ident { $($name:literal => $(? $optional:ident)? $($field:ident)?),* $(,)? $(.. $extra:ident)? }) => {
        impl $crate::validate::schema::Look for $type {
            fn look(&self) -> $crate::validate::schema::Seen<'_> {
                $crate::validate::schema::Seen::Object(self)
            }
        }
        impl $crate::validate::schema::ObjectView for $type {
            fn count(&self) -> usize {
                0 $(
                    $(+ usize::from(self.$optional.is_some()))?
                    $(+ { let _ = &self.$field; 1 })?
                )* $(+ $crate::validate::schema::ObjectView::count(&self.$extra))?
            }

            fn member(&self, name: &str) -> ::std::option::Option<&dyn $crate::validate::schema::Look> {
                match name {
                    $($name => {
                        $(self.$optional.as_ref().map(|value| value as &dyn $crate::validate::schema::Look))?
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

    struct Order {
        id: u64,
        note: Option<String>,
        cause: Option<Box<Order>>,
        color: Color,
        payment: Option<Payment>,
        extra: Map<String, Value>,
    }
    crate::__view!(Order {
        "id" => id,
        "note" =>? note,
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
    }
    crate::__view!(union Payment { Card, Tags });

    struct Card {}
    crate::__view!(Card {});

    struct Tags(Vec<String>);
    crate::__view!(inner Tags);

    /// What is seen, as a tree.
    fn tree(value: &dyn Look) -> Value {
        match value.look() {
            Seen::Null => Value::Null,
            Seen::Boolean(value) => value.into(),
            Seen::Signed(value) => value.into(),
            Seen::Unsigned(value) => value.into(),
            Seen::Float(value) => value.into(),
            Seen::Text(text) => text.into(),
            Seen::Array(items) => (0..items.count()).filter_map(|index| items.item(index)).map(tree).collect(),
            Seen::Object(members) => {
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
        let cause = Order { id: 1, note: None, cause: None, color: Color::Red, payment: None, extra: Map::new() };
        let extra = [("more".to_owned(), json!([1, -1, 0.5, true, null]))].into_iter().collect();
        let payment = Some(Payment::Tags(Tags(vec!["a".to_owned()])));
        let order = Order {
            id: 2,
            note: Some("x".to_owned()),
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
                "cause": {"id": 1, "the/color": "red", "payment": null},
                "the/color": "red",
                "payment": ["a"],
                "more": [1, -1, 0.5, true, null],
            })
        );
        assert_eq!(tree(&Payment::Card(Card {})), json!({}));
        assert!(matches!(order.look(), Seen::Object(members) if members.member("other").is_none()));
    }
}
