//! Reading typed values exactly as JSON Schema sees them, where serde by itself is laxer or stricter: `1.0` is an
//! integer, an array is no struct, a map is no word of an enum, and no object has a key twice.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    DeserializeSeed, Deserializer, MapAccess, SeqAccess, Unexpected, Visitor, value::MapAccessDeserializer,
};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::{Map, Number, Value};

/// A type that is read exactly.
pub trait Read<'de>: Sized {
    /// Reads one value.
    ///
    /// # Errors
    /// What the deserializer says, or a rule that the value breaks.
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// For `#[serde(deserialize_with)]` on a field that must be there.
///
/// # Errors
/// Those of [`Read::read`].
pub fn read<'de, T: Read<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// For `#[serde(default, deserialize_with)]` on a field that may be absent: `null` is no way to be absent.
///
/// # Errors
/// Those of [`Read::read`].
pub fn present<'de, T: Read<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::read(deserializer).map(Some)
}

/// Reads a struct that derives `Deserialize` from an object only; the derived code would take an array, too.
///
/// # Errors
/// What the derived code says.
pub fn read_struct<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::deserialize(FromObject(deserializer))
}

/// Reads one of some words; the derived code would take `{"word": null}`, too.
///
/// # Errors
/// An `enum` violation where it is none of them.
pub fn read_word<'de, T: Copy, D: Deserializer<'de>>(deserializer: D, words: &[(&str, T)]) -> Result<T, D::Error> {
    struct Words<'a, T>(&'a [(&'a str, T)]);
    impl<T: Copy> Visitor<'_> for Words<'_, T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            self.0.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
                let words: Vec<String> = self.0.iter().take(8).map(|(word, _)| super::rules::shown(word)).collect();
                let more = if self.0.len() > 8 { format!(" and {} more", self.0.len() - 8) } else { String::new() };
                let one_of = if self.0.len() == 1 { "" } else { "one of " };
                let keyword = if self.0.len() == 1 { "const" } else { "enum" };
                let text = super::rules::shown(text);
                refused(keyword, format_args!("{text} is not {one_of}{}{more}", words.join(", ")))
            })
        }
    }
    deserializer.deserialize_str(Words(words))
}

/// Parts the keyword from the message in the text of an error.
pub(super) const MARK: char = '\u{1}';

fn refused<E: serde::de::Error>(keyword: &'static str, message: fmt::Arguments<'_>) -> E {
    E::custom(format_args!("{MARK}{keyword}{MARK}{message}"))
}

struct FromObject<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for FromObject<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    // a transparent struct reads what it holds
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

macro_rules! read_as_serde_does {
    ($($ty:ty),*) => {$(
        impl<'de> Read<'de> for $ty {
            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }
        }
    )*};
}
read_as_serde_does!(bool, String, f64, ());

macro_rules! read_integer {
    ($ty:ident, $limit:expr, $lowest:literal) => {
        impl<'de> Read<'de> for $ty {
            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Integer;
                impl Visitor<'_> for Integer {
                    type Value = $ty;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an integer")
                    }
                    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<$ty, E> {
                        $ty::try_from(value).map_err(|_| refused("minimum", format_args!("{value} is less than 0")))
                    }
                    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<$ty, E> {
                        $ty::try_from(value).map_err(|_| too_long(value))
                    }
                    #[allow(clippy::float_cmp, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<$ty, E> {
                        if value.trunc() != value {
                            return Err(E::invalid_type(Unexpected::Float(value), &self));
                        }
                        // 2^63 and 2^64 are floats and $ty::MAX is none, so the cast below is exact
                        if value >= $limit || (value < $lowest && $lowest != 0.0) {
                            return Err(too_long(value));
                        }
                        if value < $lowest {
                            return Err(refused("minimum", format_args!("{value} is less than 0")));
                        }
                        Ok(value as $ty)
                    }
                }
                deserializer.deserialize_any(Integer)
            }
        }
    };
}
read_integer!(i64, 9_223_372_036_854_775_808.0, -9_223_372_036_854_775_808.0);
read_integer!(u64, 18_446_744_073_709_551_616.0, 0.0);

fn too_long<E: serde::de::Error>(value: impl fmt::Display) -> E {
    refused("type", format_args!("{value} is no integer that fits in 64 bits"))
}

impl<'de, T: Read<'de>> Read<'de> for Box<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Box::new)
    }
}

impl<'de, T: Read<'de>> Read<'de> for Option<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Nullable<T>(PhantomData<T>);
        impl<'de, T: Read<'de>> Visitor<'de> for Nullable<T> {
            type Value = Option<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("null or a value")
            }
            fn visit_none<E>(self) -> Result<Option<T>, E> {
                Ok(None)
            }
            fn visit_unit<E>(self) -> Result<Option<T>, E> {
                Ok(None)
            }
            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
                T::read(deserializer).map(Some)
            }
        }
        deserializer.deserialize_option(Nullable(PhantomData))
    }
}

struct Seed<T>(PhantomData<T>);

impl<'de, T: Read<'de>> DeserializeSeed<'de> for Seed<T> {
    type Value = T;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer)
    }
}

impl<'de, T: Read<'de>> Read<'de> for Vec<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: Read<'de>> Visitor<'de> for Items<T> {
            type Value = Vec<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
                let mut out = Vec::new();
                while let Some(item) = items.next_element_seed(Seed(PhantomData))? {
                    out.push(item);
                }
                Ok(out)
            }
        }
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

fn twice<E: serde::de::Error>(key: &str) -> E {
    refused("json", format_args!("has the member {} twice", super::rules::shown(key)))
}

impl<'de, T: Read<'de>> Read<'de> for BTreeMap<String, T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Read<'de>> Visitor<'de> for Members<T> {
            type Value = BTreeMap<String, T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut out = BTreeMap::new();
                while let Some(key) = members.next_key::<String>()? {
                    if out.contains_key(&key) {
                        return Err(twice(&key));
                    }
                    let value = members.next_value_seed(Seed(PhantomData))?;
                    out.insert(key, value);
                }
                Ok(out)
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

impl<'de> Read<'de> for Map<String, Value> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Map<String, Value>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut out = Map::new();
                while let Some(key) = members.next_key::<String>()? {
                    if out.contains_key(&key) {
                        return Err(twice(&key));
                    }
                    let value = members.next_value_seed(Seed(PhantomData))?;
                    out.insert(key, value);
                }
                Ok(out)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'de> Read<'de> for Value {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
                let number = Number::from_f64(value);
                number.map(Value::Number).ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
            }
            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(Value::String(value.to_owned()))
            }
            fn visit_string<E>(self, value: String) -> Result<Value, E> {
                Ok(Value::String(value))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut out = Vec::new();
                while let Some(item) = items.next_element_seed(Seed(PhantomData))? {
                    out.push(item);
                }
                Ok(Value::Array(out))
            }
            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Value, A::Error> {
                Map::read(MapAccessDeserializer::new(members)).map(Value::Object)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse<'de, T: Read<'de>>(text: &'de str) -> Result<T, String> {
        T::read(&mut serde_json::Deserializer::from_str(text)).map_err(|error| error.to_string())
    }

    #[test]
    fn integers_may_be_written_with_a_point() {
        assert_eq!(parse::<i64>("1.0"), Ok(1));
        assert_eq!(parse::<i64>("-2e3"), Ok(-2000));
        assert_eq!(parse::<i64>("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(parse::<u64>("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(parse::<u64>("-0.0"), Ok(0));
        for wrong in ["1.5", "9223372036854775808", "1e19", "\"1\"", "null", "true"] {
            assert!(parse::<i64>(wrong).is_err(), "{wrong}");
        }
        for wrong in ["-1", "-1.0", "18446744073709551616", "1e300"] {
            assert!(parse::<u64>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_key_twice_at_any_depth() {
        assert!(parse::<Value>(r#"[{"a":{"b":1,"b":2}}]"#).is_err_and(|error| error.contains("twice")));
        assert!(parse::<BTreeMap<String, i64>>(r#"{"a":1,"a":2}"#).is_err());
        assert_eq!(parse::<Value>(r#"{"a":[1,null,"x",1.5]}"#), Ok(serde_json::json!({"a": [1, null, "x", 1.5]})));
    }

    #[test]
    fn null_is_a_value() {
        assert_eq!(parse::<Option<i64>>("null"), Ok(None));
        assert_eq!(parse::<Option<Vec<Option<u64>>>>("[null,1]"), Ok(Some(vec![None, Some(1)])));
        assert!(present::<i64, _>(&mut serde_json::Deserializer::from_str("null")).is_err());
    }
}
