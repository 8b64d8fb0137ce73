//! A property that may be absent, null or a value.

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::json::{Fault, Read, Reader, Write, write_member};
use crate::validate::schema::{JsonView, View};

/// The value of an optional property that may also be `null`: absent, `null`, or a value.
///
/// JSON Schema distinguishes a property that is missing from one that is `null`, and so do services: in a change of a
/// profile, a missing `nickname` often means "unchanged" and `null` means "delete it". Generated structs have this type for
/// a property that isn't `required` and whose schema allows `null`. A `required` property that may be `null` is an
/// [`Option`], and so is an optional one that may not: there, `None` has one meaning only.
///
/// It is one enum of three states instead of an `Option` in an `Option`, so that each state has its name where it is made
/// and where it is matched on:
///
/// ```
/// use twyla_codec::Nullable;
///
/// struct Profile {
///     nickname: Nullable<String>,
/// }
///
/// let mut profile = Profile { nickname: Nullable::Absent };
/// profile.nickname = "Ada".to_owned().into();
/// assert_eq!(profile.nickname.value().map(String::as_str), Some("Ada"));
///
/// profile.nickname = Nullable::Null;
/// let change = match profile.nickname {
///     Nullable::Absent => "unchanged",
///     Nullable::Null => "deleted",
///     Nullable::Value(_) => "renamed",
/// };
/// assert_eq!(change, "deleted");
/// ```
///
/// An `Option` converts into it, and `None` is [`Absent`](Self::Absent), as in every other optional property. If `None`
/// stands for `null`, use [`or_null`](Self::or_null).
///
/// # serde
///
/// A value is written as itself, `Null` as serde's unit, and `Absent` as serde's none: both are `null` in JSON. In a
/// handwritten struct, add `#[serde(default, skip_serializing_if = "Nullable::is_absent")]` to the field; serde reads a
/// missing field without `default` as `Null`. Generated structs need nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nullable<T> {
    /// The property is missing.
    #[default]
    Absent,
    /// The property is `null`.
    Null,
    /// The property has a value.
    Value(T),
}

impl<T> Nullable<T> {
    /// Returns whether the property is missing.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Returns whether the property is `null`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns whether the property has a value.
    #[must_use]
    pub const fn is_value(&self) -> bool {
        matches!(self, Self::Value(_))
    }

    /// Returns the value; `None` for both a missing property and `null`.
    #[must_use]
    pub const fn value(&self) -> Option<&T> {
        if let Self::Value(value) = self { Some(value) } else { None }
    }

    /// Returns a mutable reference to the value; `None` for both a missing property and `null`.
    #[must_use]
    pub const fn value_mut(&mut self) -> Option<&mut T> {
        if let Self::Value(value) = self { Some(value) } else { None }
    }

    /// Returns the value itself; `None` for both a missing property and `null`.
    #[must_use]
    pub fn into_value(self) -> Option<T> {
        if let Self::Value(value) = self { Some(value) } else { None }
    }

    /// Returns all three states as options: `None` is a missing property, `Some(None)` is `null`.
    ///
    /// ```
    /// use twyla_codec::Nullable;
    ///
    /// assert_eq!(Nullable::<u64>::Absent.into_options(), None);
    /// assert_eq!(Nullable::<u64>::Null.into_options(), Some(None));
    /// assert_eq!(Nullable::Value(7).into_options(), Some(Some(7)));
    /// ```
    #[must_use]
    pub fn into_options(self) -> Option<Option<T>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(None),
            Self::Value(value) => Some(Some(value)),
        }
    }

    /// Returns the value of an `Option`, or [`Null`](Self::Null) for `None`. `From` makes [`Absent`](Self::Absent) of `None`.
    ///
    /// ```
    /// use twyla_codec::Nullable;
    ///
    /// assert_eq!(Nullable::or_null(None::<u64>), Nullable::Null);
    /// assert_eq!(Nullable::<u64>::from(None), Nullable::Absent);
    /// assert_eq!(Nullable::or_null(Some(7)), Nullable::from(7));
    /// ```
    #[must_use]
    pub fn or_null(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }

    /// Returns the same state with a reference to the value.
    #[must_use]
    pub const fn as_ref(&self) -> Nullable<&T> {
        match self {
            Self::Absent => Nullable::Absent,
            Self::Null => Nullable::Null,
            Self::Value(value) => Nullable::Value(value),
        }
    }

    /// Applies `change` to the value, if there is one.
    #[must_use]
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Nullable<U> {
        match self {
            Self::Absent => Nullable::Absent,
            Self::Null => Nullable::Null,
            Self::Value(value) => Nullable::Value(change(value)),
        }
    }
}

impl<T> From<T> for Nullable<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

/// `None` is [`Nullable::Absent`].
impl<T> From<Option<T>> for Nullable<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Value)
    }
}

/// A missing property and `null` are both `None`.
impl<T> From<Nullable<T>> for Option<T> {
    fn from(property: Nullable<T>) -> Self {
        property.into_value()
    }
}

impl<T: Serialize> Serialize for Nullable<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Null => serializer.serialize_unit(),
            Self::Value(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::or_null)
    }
}

impl<T: Read> Read for Nullable<T> {
    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        Option::read(reader).map(Self::or_null)
    }
}

/// Writes `Absent` as `null`. A struct leaves an absent property out before this is called.
impl<T: Write> Write for Nullable<T> {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Absent | Self::Null => ().write(out),
            Self::Value(value) => value.write(out),
        }
    }
}

impl<T: View> View for Nullable<T> {
    fn view(&self) -> JsonView<'_> {
        self.value().map_or(JsonView::Null, View::view)
    }
}

/// Appends a member and a comma, unless the member is absent. `key` has its quotes and its colon.
#[inline]
pub fn write_nullable<T: Write>(key: &'static str, value: &Nullable<T>, out: &mut Vec<u8>) {
    if !value.is_absent() {
        write_member(key, value, out);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::from_str;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Profile {
        #[serde(default, skip_serializing_if = "Nullable::is_absent")]
        nickname: Nullable<String>,
    }

    #[test]
    fn serde_keeps_all_three_states_of_a_property() {
        for (value, nickname) in [
            (json!({}), Nullable::Absent),
            (json!({ "nickname": null }), Nullable::Null),
            (json!({ "nickname": "Ada" }), "Ada".to_owned().into()),
        ] {
            let profile: Profile = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(profile, Profile { nickname });
            assert_eq!(serde_json::to_value(&profile).unwrap(), value);
        }
        assert!(serde_json::from_value::<Profile>(json!({ "nickname": 1 })).is_err());
    }

    #[test]
    fn reads_null_and_values() {
        assert_eq!(from_str::<Nullable<i64>>("null").unwrap(), Nullable::Null);
        assert_eq!(from_str::<Nullable<i64>>("7").unwrap(), Nullable::Value(7));
        assert!(from_str::<Nullable<i64>>("\"x\"").is_err());
    }

    #[test]
    fn writes_null_and_values() {
        let written = |property: Nullable<i64>| {
            let mut out = Vec::new();
            property.write(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!([Nullable::Absent, Nullable::Null, Nullable::Value(7)].map(written), ["null", "null", "7"]);
    }

    #[test]
    fn accessors_distinguish_the_states() {
        let all = [Nullable::Absent, Nullable::Null, Nullable::Value(7)];
        assert_eq!(all.map(|it| it.is_absent()), [true, false, false]);
        assert_eq!(all.map(|it| it.is_null()), [false, true, false]);
        assert_eq!(all.map(|it| it.is_value()), [false, false, true]);
        assert_eq!(all.map(Option::from), [None, None, Some(7)]);
        assert_eq!(all.map(|it| it.map(|value| value + 1).as_ref().into_value().copied()), [None, None, Some(8)]);
        assert_eq!(Nullable::default(), Nullable::<i64>::Absent);
        let mut property = Nullable::from(Some(7));
        if let Some(value) = property.value_mut() {
            *value += 1;
        }
        assert_eq!(property, 8.into());
    }
}
