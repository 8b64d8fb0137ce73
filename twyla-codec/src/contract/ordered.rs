//! The comparison of generated types by their derived `Ord`.

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
