//! Conversion between generated types and any serde format, by way of an exact `Value` and its text.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{self, Serialize, Serializer};
use serde_json::{Map, Number, Value};

use super::read::{Read, from_str};
use super::write::Write;
use crate::excerpt::quoted;

/// Serializes a generated type; the body of its `impl Serialize`.
///
/// # Errors
/// The serializer's error.
pub fn serialize<T: Write + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = Vec::new();
    value.write(&mut text);
    tree(&text).map_err(ser::Error::custom)?.serialize(serializer)
}

/// Implements serde's traits for a generated type, so that it can be used outside of events.
#[doc(hidden)]
#[macro_export]
macro_rules! __bridge {
    ($type:ident) => {
        impl $crate::__private::serde::Serialize for $type {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::json::serialize(self, serializer)
            }
        }
        impl<'de> $crate::__private::serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::__private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::json::deserialize(deserializer)
            }
        }
    };
}

fn tree(text: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
    from_str(text).map_err(|fault| fault.into_violation().to_string())
}

/// Deserializes a generated type; the body of its `impl Deserialize`.
///
/// # Errors
/// The deserializer's error, or a value that doesn't fit the type.
pub fn deserialize<'de, T: Read, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let value = exact(deserializer)?;
    let mut text = Vec::new();
    value.write(&mut text);
    let text = String::from_utf8(text).map_err(de::Error::custom)?;
    from_str(&text).map_err(|fault| de::Error::custom(fault.into_violation()))
}

/// Deserializes a `Value` as exactly as [`Read`] does.
pub(super) fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    ExactVisitor { depth: 0 }.deserialize(deserializer)
}

/// A visitor that reads a `Value`, refuses duplicate keys and loses no digit.
#[derive(Clone, Copy)]
struct ExactVisitor {
    depth: u8,
}

impl ExactVisitor {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.depth {
            127.. => Err(E::custom("the value is nested deeper than can be read")),
            depth => Ok(Self { depth: depth + 1 }),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ExactVisitor {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ExactVisitor {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        // options count towards the depth too, because some formats nest them without a limit
        self.deeper::<D::Error>()?.deserialize(deserializer)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deeper::<D::Error>()?.deserialize(deserializer)
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
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        number.map(Value::Number).ok_or_else(|| E::custom(format_args!("{value} is not a JSON number")))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let seed = self.deeper::<A::Error>()?;
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(seed)? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let seed = self.deeper::<A::Error>()?;
        let mut out = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if out.contains_key(&key) {
                return Err(de::Error::custom(format_args!("the member {} appears twice", quoted(&key))));
            }
            let value = members.next_value_seed(seed)?;
            out.insert(key, value);
        }
        Ok(Value::Object(out))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    type Numbers = BTreeMap<String, Option<i64>>;

    #[test]
    fn types_go_both_ways() {
        let numbers: Numbers = deserialize(json!({"a": 1.0, "b": null, "c": i64::MIN})).unwrap();
        assert_eq!(numbers, BTreeMap::from([("a".into(), Some(1)), ("b".into(), None), ("c".into(), Some(i64::MIN))]));
        let value = serialize(&numbers, serde_json::value::Serializer).unwrap();
        assert_eq!(value, json!({"a": 1, "b": null, "c": i64::MIN}));
    }

    #[test]
    fn reports_a_misfit_with_its_place() {
        let error = deserialize::<Numbers, _>(json!({"a": 1, "b": "x"})).unwrap_err();
        assert_eq!(error.to_string(), "/b: expected an integer, found the string \"x\"");
        let mut reader = serde_json::Deserializer::from_str(r#"{"a":1,"a":2}"#);
        assert!(deserialize::<Numbers, _>(&mut reader).is_err_and(|error| error.to_string().contains("twice")));
    }

    #[test]
    fn nothing_deep_overflows() {
        let mut reader = serde_json::Deserializer::from_str("[1]");
        assert!(exact(&mut reader).is_ok());
        let mut deep = json!(1);
        for _ in 0..127 {
            deep = json!([deep]);
        }
        assert!(exact(deep.clone()).is_ok());
        assert!(exact(json!([deep])).is_err_and(|error| error.to_string().contains("deeper")));
    }
}
