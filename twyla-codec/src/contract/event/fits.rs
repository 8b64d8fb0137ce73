//! Which Rust types fit which kinds of value, and in which direction: every value of the kind can be read into the
//! type, or every value of the type can be written as a value of the kind.
//!
//! Lengths, patterns and bounds don't count: the generated type checks them when an event is decoded or encoded.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use chrono::{FixedOffset, NaiveDate, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::kind::{
    Any, Array, Begins, Boolean, DateTime, Ends, Integer, Map, Named, Null, Nullable, Number, Optional, Plain, Present,
    Text, Word,
};

/// The direction from the wire: the type holds every value of the kind.
pub struct Reading;
/// The direction to the wire: every value of the type has the kind.
pub struct Writing;
/// A type that fits in at least one of the two directions.
pub struct Either;

/// A type that fits the kind `K` in the direction `D`.
pub trait Fits<K, D>: Serialize + DeserializeOwned {}

/// A required value may be written as an optional or nullable one.
macro_rules! beside_nothing {
    ($([$($parameters:tt)*] $type:ty;)*) => {$(
        impl<$($parameters)* K> Fits<Optional<K>, Writing> for $type where $type: Fits<K, Writing> {}
        impl<$($parameters)* K> Fits<Optional<K>, Either> for $type where $type: Fits<K, Either> {}
        impl<$($parameters)* K> Fits<Nullable<K>, Writing> for $type where $type: Fits<K, Writing> {}
        impl<$($parameters)* K> Fits<Nullable<K>, Either> for $type where $type: Fits<K, Either> {}
    )*};
}

/// Types without parameters may be written where any value is allowed.
macro_rules! scalar {
    ($($type:ty),*) => {$(
        beside_nothing!([] $type;);
        impl Fits<Any, Writing> for $type {}
        impl Fits<Any, Either> for $type {}
    )*};
}

scalar!((), bool, u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, usize, isize, f32, f64);
scalar!(String, Box<str>, Arc<str>, Cow<'static, str>);

impl<D> Fits<Null, D> for () {}
impl<D> Fits<Boolean, D> for bool {}
impl<D> Fits<Number, D> for f64 {}
// `f32` can't hold every number that a contract allows, so it doesn't fit `Reading`
impl Fits<Number, Writing> for f32 {}
impl Fits<Number, Either> for f32 {}

macro_rules! text {
    ($($type:ty),*) => {$(
        impl<D> Fits<Text, D> for $type {}
        impl<T, D> Fits<Word<T>, D> for $type {}
    )*};
}

text!(String, Box<str>, Arc<str>, Cow<'static, str>);

/// A type of a format may be written as a string. It isn't read from one, because a contract's string needn't have the
/// format.
macro_rules! format {
    ($($type:ty: $word:ty),*) => {$(
        scalar!($type);
        impl<D> Fits<Word<$word>, D> for $type {}
        impl Fits<Text, Writing> for $type {}
        impl Fits<Text, Either> for $type {}
    )*};
}

format!(NaiveDate: NaiveDate, DateTime: DateTime, chrono::DateTime<FixedOffset>: DateTime, chrono::DateTime<Utc>: DateTime, Uuid: Uuid);
format!(Ipv4Addr: Ipv4Addr, Ipv6Addr: Ipv6Addr);

macro_rules! integer {
    ($($type:ty),*) => {$(
        impl<L, H> Fits<Integer<L, H>, Reading> for $type where $type: Begins<L> + Ends<H> {}
        impl<L, H> Fits<Integer<L, H>, Writing> for $type {}
        impl<L, H> Fits<Integer<L, H>, Either> for $type {}
        impl Fits<Number, Writing> for $type {}
        impl Fits<Number, Either> for $type {}
    )*};
}

integer!(u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, usize, isize);

macro_rules! array {
    ($([$($parameters:tt)*] $type:ty;)*) => {$(
        impl<$($parameters)* K, D> Fits<Array<K>, D> for $type where T: Fits<K, D> {}
        impl<$($parameters)*> Fits<Any, Writing> for $type where T: Fits<Any, Writing> {}
        impl<$($parameters)*> Fits<Any, Either> for $type where T: Fits<Any, Either> {}
        beside_nothing!([$($parameters)*] $type;);
    )*};
}

array! {
    [T,] Vec<T>;
    [T,] VecDeque<T>;
    [T,] Box<[T]>;
    [T: Ord,] BTreeSet<T>;
    [T: Eq + Hash, S: BuildHasher + Default,] HashSet<T, S>;
}

macro_rules! map {
    ($([$($parameters:tt)*] $type:ty;)*) => {$(
        impl<$($parameters)* K, D> Fits<Map<K>, D> for $type where T: Fits<K, D> {}
        impl<$($parameters)*> Fits<Any, Writing> for $type where T: Fits<Any, Writing> {}
        impl<$($parameters)*> Fits<Any, Either> for $type where T: Fits<Any, Either> {}
        beside_nothing!([$($parameters)*] $type;);
    )*};
}

map! {
    [T,] BTreeMap<String, T>;
    [T, S: BuildHasher + Default,] HashMap<String, T, S>;
}

impl<K: Present, D> Fits<K, D> for Value {}
impl<K> Fits<Optional<K>, Writing> for Value {}
impl<K> Fits<Optional<K>, Either> for Value {}

scalar!(serde_json::Map<String, Value>);
impl<K, D> Fits<Map<K>, D> for serde_json::Map<String, Value> {}
impl<T, D> Fits<Named<T>, D> for serde_json::Map<String, Value> {}

impl<K, D, T: Fits<K, D>> Fits<K, D> for Box<T> {}
impl<K, D, T: Fits<K, D>> Fits<K, D> for Arc<T> {}

impl<K, D, T: Fits<K, D>> Fits<Optional<K>, D> for Option<T> {}
impl<K, D, T: Fits<K, D>> Fits<Nullable<K>, D> for Option<T> {}
// A required value can be read into an `Option`; an `Option` can't be written as a required value.
impl<K: Plain, T: Fits<K, Reading>> Fits<K, Reading> for Option<T> {}
impl<K: Plain, T: Fits<K, Either>> Fits<K, Either> for Option<T> {}

/// A kind that the generated type `T` fits in the direction `D`. One impl of [`Fits`] for all such kinds takes the compiler less
/// time than one for each.
pub trait OwnKind<T, D> {}

impl<T, D> OwnKind<T, D> for Named<T> {}
impl<T, D> OwnKind<T, D> for Word<T> {}
impl<T, K: OwnKind<T, Writing>> OwnKind<T, Writing> for Optional<K> {}
impl<T, K: OwnKind<T, Either>> OwnKind<T, Either> for Optional<K> {}
impl<T, K: OwnKind<T, Writing>> OwnKind<T, Writing> for Nullable<K> {}
impl<T, K: OwnKind<T, Either>> OwnKind<T, Either> for Nullable<K> {}

/// Makes a generated type fit its own schema.
#[doc(hidden)]
#[macro_export]
macro_rules! __bindable {
    ($type:ident) => {
        impl<K: $crate::__private::OwnKind<$type, D>, D> $crate::__private::Fits<K, D> for $type {}
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::event::bound::DoesFit;
    use crate::contract::otherwise::Otherwise as _;

    #[test]
    fn a_constant_fits_text_alone() {
        let texts = [DoesFit::<String, Word<()>, Reading>::HOLDS, DoesFit::<Box<str>, Word<()>, Writing>::HOLDS];
        assert_eq!(texts, [true, true]);
        let others = [
            DoesFit::<Uuid, Word<()>, Either>::HOLDS,
            DoesFit::<NaiveDate, Word<()>, Either>::HOLDS,
            DoesFit::<u8, Word<()>, Either>::HOLDS,
            DoesFit::<(), Word<()>, Either>::HOLDS,
        ];
        assert_eq!(others, [false; 4]);
    }
}
