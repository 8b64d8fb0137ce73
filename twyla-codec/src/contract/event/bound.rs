//! Reads and writes the fields of a hand-written struct. If the compiler has refused a field's type, a stand-in implements
//! serde's traits, so that the mistake is reported only once.

use std::marker::PhantomData;

use serde::de::{Deserializer, Error as _};
use serde::ser::{Error as _, Impossible, Serializer};
use serde::{Deserialize, Serialize};

use super::fits::Fits;
use crate::contract::otherwise::Otherwise;

/// Whether the type `T` fits the kind `K` in the direction `D`: `DoesFit::<T, K, D>::HOLDS`, with [`Otherwise`] in scope.
pub struct DoesFit<T, K, D>(PhantomData<(T, K, D)>);

impl<T: Fits<K, D>, K, D> DoesFit<T, K, D> {
    /// True: an inherent constant takes precedence over a trait's.
    pub const HOLDS: bool = true;
}

impl<T, K, D> Otherwise for DoesFit<T, K, D> {}

/// A type that implements no generated trait. An impl that requires such a trait of it reports the trait's error at
/// each use.
pub struct Nothing;

/// A field that is read.
pub struct ReadField<T, const FITS: bool>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ReadField<T, true> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

impl<'de, T> Deserialize<'de> for ReadField<T, false> {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        // never runs: the attribute refuses a field that doesn't fit
        Err(D::Error::custom("the program has not compiled"))
    }
}

/// Serializes a field. `FITS` says whether its type fits the schema; with `false` the program doesn't compile, and nothing is
/// written.
pub struct WrittenField<'a, T, const FITS: bool>(pub &'a T);

impl<T: Serialize> Serialize for WrittenField<'_, T, true> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T> Serialize for WrittenField<'_, T, false> {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        // never runs: the attribute refuses a field that doesn't fit
        Err(S::Error::custom("the program has not compiled"))
    }
}

/// Returns whether serde writes the value as `None`; an optional property is then left out.
pub fn is_absent<T: Serialize>(value: &T) -> bool {
    value.serialize(Absent).is_ok()
}

/// A serializer that accepts only `None`.
struct Absent;

/// The error of `Absent` for a value that isn't `None`.
#[derive(Debug)]
struct There;

impl std::fmt::Display for There {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value is there")
    }
}

impl std::error::Error for There {}

impl serde::ser::Error for There {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! there {
    ($($method:ident($($argument:ty),*);)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<(), There> {
            Err(There)
        }
    )*};
}

type Nested = Impossible<(), There>;

impl Serializer for Absent {
    type Ok = ();
    type Error = There;
    type SerializeSeq = Nested;
    type SerializeTuple = Nested;
    type SerializeTupleStruct = Nested;
    type SerializeTupleVariant = Nested;
    type SerializeMap = Nested;
    type SerializeStruct = Nested;
    type SerializeStructVariant = Nested;

    fn serialize_none(self) -> Result<(), There> {
        Ok(())
    }

    there! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_some<T: ?Sized + Serialize>(self, _: &T) -> Result<(), There> {
        Err(There)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), There> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), There> {
        Err(There)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Nested, There> {
        Err(There)
    }

    fn serialize_tuple(self, _: usize) -> Result<Nested, There> {
        Err(There)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Nested, There> {
        Err(There)
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Nested, There> {
        Err(There)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Nested, There> {
        Err(There)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Nested, There> {
        Err(There)
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Nested, There> {
        Err(There)
    }

    fn collect_str<T: ?Sized + std::fmt::Display>(self, _: &T) -> Result<(), There> {
        Err(There)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_none_is_absent() {
        assert!(is_absent(&None::<u8>) && is_absent(&Box::new(None::<String>)));
        assert!(is_absent(&WrittenField::<_, true>(&None::<u8>)));
        assert!(!is_absent(&Some(1)) && !is_absent(&Some(None::<u8>)) && !is_absent(&()) && !is_absent(&""));
        assert!(!is_absent(&serde_json::Value::Null) && !is_absent(&Vec::<u8>::new()));
    }
}
