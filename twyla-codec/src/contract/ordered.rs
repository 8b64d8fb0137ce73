//! The order of generated types, and the comparison, hash and debug output of structs with many fields.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt::{self, Debug, Formatter};
use std::hash::{Hash, Hasher};

/// Implements `Eq` and `PartialOrd` for a generated type that derives `PartialEq` and `Ord`. Derives of the two would compile the
/// comparison of each field once more.
///
/// ```
/// #[derive(Debug, PartialEq, Ord)]
/// struct Version(u8, u8);
/// twyla_codec::__ordered!(Version);
/// assert!(Version(1, 9) < Version(2, 0));
/// assert_eq!(Version(1, 0).partial_cmp(&Version(1, 0)), Some(std::cmp::Ordering::Equal));
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __ordered {
    ($type:ident) => {
        impl ::std::cmp::Eq for $type {}
        impl ::std::cmp::PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> ::std::option::Option<::std::cmp::Ordering> {
                ::std::option::Option::Some(::std::cmp::Ord::cmp(self, other))
            }
        }
    };
}

/// Implements `PartialEq`, `Eq`, `PartialOrd`, `Ord` and `Hash` for a generated struct, and `Debug` after `debug`. They are those that
/// derives would give. The compiler does the work for each field once, not once for each derive.
///
/// ```
/// struct Version {
///     major: u8,
///     minor: u8,
/// }
/// twyla_codec::__compared!(debug Version 2 { major, minor });
/// assert!(Version { major: 1, minor: 9 } < Version { major: 2, minor: 0 });
/// assert_eq!(format!("{:?}", Version { major: 1, minor: 9 }), "Version { major: 1, minor: 9 }");
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __compared {
    (debug $type:ident $count:literal { $($field:ident),* }) => {
        $crate::__compared!($type $count { $($field),* });
        impl ::std::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::__private::debug_fields(f, stringify!($type), &[$(stringify!($field)),*], &self.__fields())
            }
        }
    };
    ($type:ident $count:literal { $($field:ident),* }) => {
        impl $type {
            fn __fields(&self) -> [$crate::__private::FieldRef<'_>; $count] {
                [$(&self.$field),*]
            }
        }
        impl ::std::cmp::PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                $crate::__private::equal_fields(&self.__fields(), &other.__fields())
            }
        }
        $crate::__ordered!($type);
        impl ::std::cmp::Ord for $type {
            fn cmp(&self, other: &Self) -> ::std::cmp::Ordering {
                $crate::__private::compare_fields(&self.__fields(), &other.__fields())
            }
        }
        impl ::std::hash::Hash for $type {
            fn hash<H: ::std::hash::Hasher>(&self, state: &mut H) {
                $crate::__private::hash_fields(&self.__fields(), state);
            }
        }
    };
}

/// A reference to a field of any type.
pub type FieldRef<'a> = &'a (dyn AnyField + 'static);

/// A field of any type.
pub trait AnyField: Any + Debug {
    /// Returns whether the field equals the same field of another value.
    fn equals(&self, other: FieldRef<'_>) -> bool;
    /// Compares the field with the same field of another value.
    fn compare(&self, other: FieldRef<'_>) -> Ordering;
    /// Feeds the field into a hasher.
    fn feed(&self, state: &mut dyn Hasher);
}

impl<T: Any + Debug + Ord + Hash> AnyField for T {
    fn equals(&self, other: FieldRef<'_>) -> bool {
        let other: &(dyn Any + 'static) = other;
        other.downcast_ref::<T>().is_some_and(|other| self == other)
    }
    fn compare(&self, other: FieldRef<'_>) -> Ordering {
        let other: &(dyn Any + 'static) = other;
        // the same field has the same type
        other.downcast_ref::<T>().map_or(Ordering::Equal, |other| self.cmp(other))
    }
    fn feed(&self, mut state: &mut dyn Hasher) {
        self.hash(&mut state);
    }
}

/// Returns whether all fields of two values of one type are equal.
#[must_use]
pub fn equal_fields(one: &[FieldRef<'_>], other: &[FieldRef<'_>]) -> bool {
    one.iter().zip(other).all(|(one, other)| one.equals(*other))
}

/// Compares the fields of two values of one type, in order.
#[must_use]
pub fn compare_fields(one: &[FieldRef<'_>], other: &[FieldRef<'_>]) -> Ordering {
    let mut all = one.iter().zip(other).map(|(one, other)| one.compare(*other));
    all.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Feeds fields into a hasher, as a derived `Hash` does.
pub fn hash_fields(fields: &[FieldRef<'_>], state: &mut dyn Hasher) {
    fields.iter().for_each(|field| field.feed(state));
}

/// Writes a struct as a derived `Debug` does.
///
/// # Errors
/// The formatter's error.
pub fn debug_fields(f: &mut Formatter<'_>, name: &str, names: &[&str], fields: &[FieldRef<'_>]) -> fmt::Result {
    let mut out = f.debug_struct(name);
    for (name, field) in names.iter().zip(fields) {
        out.field(name, field);
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    struct Derived {
        id: u8,
        words: Vec<String>,
        at: Option<i64>,
    }

    mod compared {
        pub(super) struct Derived {
            pub(super) id: u8,
            pub(super) words: Vec<String>,
            pub(super) at: Option<i64>,
        }
        crate::__compared!(debug Derived 3 { id, words, at });
    }

    #[test]
    fn equals_the_derives() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let all = [
            (1, words(&["a"]), None),
            (1, words(&["a", ""]), None),
            (0, words(&["b"]), Some(1)),
            (1, Vec::new(), Some(-7)),
        ];
        let both =
            all.map(|(id, words, at)| (Derived { id, words: words.clone(), at }, compared::Derived { id, words, at }));
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        for (derived, compared) in &both {
            assert_eq!(hasher.hash_one(derived), hasher.hash_one(compared));
            assert_eq!(
                (format!("{derived:?}"), format!("{derived:#?}")),
                (format!("{compared:?}"), format!("{compared:#?}"))
            );
            for (other_derived, other_compared) in &both {
                assert_eq!(derived.cmp(other_derived), compared.cmp(other_compared));
                assert_eq!(derived == other_derived, compared == other_compared);
            }
        }
    }
}
