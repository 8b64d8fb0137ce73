//! The kinds of value that a schema declares, as types, which `#[event]` compares with the fields of a hand-written struct.

use std::marker::PhantomData;

/// Any value.
pub struct Any;
/// A kind that holds only `null`.
pub struct Null;
/// `true` or `false`.
pub struct Boolean;
/// An integer from the minimum of `From` to the maximum of `To`: `Integer<u8, i16>` is an integer from 0 to 32767.
pub struct Integer<From, To>(PhantomData<(From, To)>);
/// A number.
pub struct Number;
/// A string.
pub struct Text;
/// A string that `T` represents: the variants of a generated enum, or the texts of a format.
pub struct Word<T>(PhantomData<T>);
pub use crate::DateTime;
/// An array of items of one kind.
pub struct Array<K>(PhantomData<K>);
/// An object whose members are all of one kind.
pub struct Map<K>(PhantomData<K>);
/// A value of the generated type `T`.
pub struct Named<T>(PhantomData<T>);
/// A value of the kind `K`, or `null`.
pub struct Nullable<K>(PhantomData<K>);
/// A value of the kind `K`, or no value at all.
pub struct Optional<K>(PhantomData<K>);

/// A kind that is never absent: every one but [`Optional`].
pub trait Present {}
/// A kind that is never absent or `null`: every one but [`Optional`] and [`Nullable`].
pub trait Plain: Present {}

macro_rules! plain {
    ($($kind:ty $(, $parameter:ident)*;)*) => {$(
        impl<$($parameter),*> Present for $kind {}
        impl<$($parameter),*> Plain for $kind {}
    )*};
}

plain! {
    Any;
    Null;
    Boolean;
    Integer<L, H>, L, H;
    Number;
    Text;
    Word<T>, T;
    Array<K>, K;
    Map<K>, K;
    Named<T>, T;
}

impl<K> Present for Nullable<K> {}

/// An integer type whose minimum is at most the minimum of `T`.
pub trait Begins<T> {}
/// An integer type whose maximum is at least the maximum of `T`.
pub trait Ends<T> {}

macro_rules! reach {
    ($($integer:ty: $($low:ty)*, $($high:ty)*;)*) => {$(
        $(impl Begins<$low> for $integer {})*
        $(impl Ends<$high> for $integer {})*
    )*};
}

reach! {
    u8: u8, i8 u8;
    i8: u8 i8, i8;
    u16: u8, i8 u8 i16 u16;
    i16: u8 i8 i16, i8 u8 i16;
    u32: u8, i8 u8 i16 u16 i32 u32;
    i32: u8 i8 i16 i32, i8 u8 i16 u16 i32;
    u64: u8, i8 u8 i16 u16 i32 u32 i64 u64;
    i64: u8 i8 i16 i32 i64, i8 u8 i16 u16 i32 u32 i64;
    u128: u8, i8 u8 i16 u16 i32 u32 i64 u64 i128 u128;
    i128: u8 i8 i16 i32 i64 i128, i8 u8 i16 u16 i32 u32 i64 u64 i128;
}

// contracts don't depend on the machine, so `isize` and `usize` count with their guaranteed minimum size
reach! {
    usize: u8, i8 u8 i16 u16 i32 u32;
    isize: u8 i8 i16 i32, i8 u8 i16 u16 i32;
}

#[cfg(target_pointer_width = "64")]
reach! {
    usize: , i64 u64;
    isize: i64, u32 i64;
}
