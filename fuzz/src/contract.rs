//! Bytes as a content or context: compares the generated decoder with the `jsonschema` crate.

use std::fmt::Debug;

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};
use twyla_codec::validate::Refusal;

/// A contract with its generated decode and encode, and its schema's validator.
pub struct Contract<T> {
    decode: fn(&[u8]) -> Result<T, Refusal>,
    encode: fn(&T, &mut Vec<u8>) -> Result<(), Refusal>,
    validator: Validator,
}

impl<T: PartialEq + Debug> Contract<T> {
    /// The contract of the schema at this path below `schemas/`.
    ///
    /// # Panics
    /// If the schemas have moved since compilation.
    pub fn new(
        path: &str,
        decode: fn(&[u8]) -> Result<T, Refusal>,
        encode: fn(&T, &mut Vec<u8>) -> Result<(), Refusal>,
    ) -> Self {
        let mut registry = Registry::new();
        for file in [path, "shared/suggestion.json"] {
            let text = std::fs::read(format!("{}/../schemas/{file}", env!("CARGO_MANIFEST_DIR"))).expect("a schema");
            let schema = serde_json::from_slice(&text).expect("JSON");
            let resource = jsonschema::Draft::Draft202012.create_resource(schema);
            registry = registry.add(format!("twyla:///{file}"), resource).expect("a schema");
        }
        let registry = registry.prepare().expect("schemas that lead to one another");
        let validator = jsonschema::options()
            .with_registry(&registry)
            .should_validate_formats(true)
            .build(&json!({ "$ref": format!("twyla:///{path}") }))
            .expect("a schema");
        Self { decode, encode, validator }
    }

    /// Compares both on `bytes`, and decodes again what is encoded.
    ///
    /// # Panics
    /// If they don't agree.
    pub fn hold(&self, bytes: &[u8]) {
        let decoded = (self.decode)(bytes);
        let value = serde_json::from_slice::<Value>(bytes).ok();
        if let (Some(value), false) = (&value, is_read_otherwise(bytes)) {
            let valid = self.validator.is_valid(value);
            assert_eq!(decoded.is_ok(), valid, "the decode says {decoded:?}");
        }
        let Ok(decoded) = decoded else { return };
        assert!(value.is_some() || depth(bytes) > 127, "this is not JSON");
        let mut text = Vec::new();
        (self.encode)(&decoded, &mut text).expect("what was decoded is encoded");
        let value = serde_json::from_slice(&text).expect("what is encoded is JSON");
        assert!(self.validator.is_valid(&value), "what is encoded is valid: {value}");
        let again = (self.decode)(&text).expect("what was encoded is decoded");
        assert_eq!(again, decoded);
        let mut same = Vec::new();
        (self.encode)(&again, &mut same).expect("what was decoded is encoded");
        assert_eq!(same, text);
    }
}

/// Whether `serde_json` reads the text differently: it keeps only one of several members with the same name, and only
/// as many digits of a number as a float has.
fn is_read_otherwise(bytes: &[u8]) -> bool {
    let mut digits = 0;
    let long = bytes.iter().any(|byte| {
        digits = match byte {
            b'0'..=b'9' => digits + 1,
            b'.' => digits,
            _ => 0,
        };
        digits > 15
    });
    // an exponent can stand for many digits
    let large = |value: &Value| value.as_f64().is_some_and(|number| number.abs() >= 9_007_199_254_740_992.0);
    long || serde_json::from_slice::<Members>(bytes).is_ok_and(|members| members.any(&large))
}

/// A JSON value that keeps all members, including repeated names.
enum Members {
    Object(Vec<(String, Members)>),
    Array(Vec<Members>),
    Other(Value),
}

impl Members {
    fn any(&self, test: &dyn Fn(&Value) -> bool) -> bool {
        match self {
            Self::Object(members) => {
                let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
                names.sort_unstable();
                names.windows(2).any(|pair| pair[0] == pair[1]) || members.iter().any(|(_, value)| value.any(test))
            }
            Self::Array(items) => items.iter().any(|item| item.any(test)),
            Self::Other(value) => test(value),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Members, E> {
                Ok(Members::Other(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Members, E> {
                Ok(Members::Other(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Members, E> {
                Ok(Members::Other(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Members, E> {
                Ok(Members::Other(value.into()))
            }

            fn visit_str<E>(self, _: &str) -> Result<Members, E> {
                Ok(Members::Other(Value::Null))
            }

            fn visit_unit<E>(self) -> Result<Members, E> {
                Ok(Members::Other(Value::Null))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Members, A::Error> {
                let mut out = Vec::new();
                while let Some(item) = items.next_element()? {
                    out.push(item);
                }
                Ok(Members::Array(out))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<Members, A::Error> {
                let mut out = Vec::new();
                while let Some(member) = members.next_entry()? {
                    out.push(member);
                }
                Ok(Members::Object(out))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// An upper bound of the depth to which a text is nested.
fn depth(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| matches!(byte, b'[' | b'{')).count()
}
