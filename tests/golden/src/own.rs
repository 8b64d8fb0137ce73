//! Types that replace generated ones in the folder `custom`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// An amount. What it writes has a member that the schema doesn't declare.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    pub cents: i64,
    pub currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
}

/// A number that is written without zeros at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Decimal(pub String);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self(text.trim_end_matches('0').trim_end_matches('.').to_owned()))
    }
}

/// The name of a network. An empty one can be neither read nor written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Network(pub String);

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() {
            return Err(ser::Error::custom("a network without a name"));
        }
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() { Err(de::Error::custom("a network without a name")) } else { Ok(Self(text)) }
    }
}

/// Several values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Several<T>(pub Vec<T>);

/// A number or a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Id {
    Number(i64),
    Text(String),
}
