//! Builders of generated structs: `build` compiles only if each required member is set.
//!
//! A builder's type lists the required members: `(Set<id>, (Unset<total>, ()))`. [`Setting`] finds a member in that list. So the
//! code of a builder grows with the number of members, not with its square.

use std::marker::PhantomData;

/// A required member that is set.
#[derive(Debug)]
pub struct Set<Member>(PhantomData<Member>);

/// A required member that is not set.
#[derive(Debug)]
pub struct Unset<Member>(PhantomData<Member>);

/// A list of required members in which `Member` can be set. The compiler infers `At`, the member's position.
pub trait Setting<Member, At> {
    /// The list with the member set.
    type After;
}

/// The position of the first member.
#[derive(Debug)]
pub struct Here;

/// A position after the first member: `At` in the rest of the list.
#[derive(Debug)]
pub struct Behind<At>(PhantomData<At>);

impl<Member, Rest> Setting<Member, Here> for (Unset<Member>, Rest) {
    type After = (Set<Member>, Rest);
}

// a member may be set again: its last value counts
impl<Member, Rest> Setting<Member, Here> for (Set<Member>, Rest) {
    type After = Self;
}

impl<Member, Other, Rest: Setting<Member, At>, At> Setting<Member, Behind<At>> for (Other, Rest) {
    type After = (Other, Rest::After);
}

/// A list of required members.
pub trait RequiredMembers {
    /// The members that are not set, as a list of their names.
    type Missing;
}

impl RequiredMembers for () {
    type Missing = ();
}

impl<Member, Rest: RequiredMembers> RequiredMembers for (Set<Member>, Rest) {
    type Missing = Rest::Missing;
}

impl<Member, Rest: RequiredMembers> RequiredMembers for (Unset<Member>, Rest) {
    type Missing = (Member, Rest::Missing);
}

/// An empty list of members. A list with members gives one error that names all of them.
#[diagnostic::on_unimplemented(
    message = "required members are not set: those after `__member::` in `{Self}`",
    label = "set the required members before this call"
)]
pub trait NoneMissing {}

impl NoneMissing for () {}

/// A type with a builder.
pub trait Built {
    /// The list of required members, none of which is set.
    type Unset;
}

/// Panics. A builder never calls it: its type proves that each required member is set.
pub fn unset_member() -> ! {
    unreachable!("a builder was built without a required member")
}

/// Implements the builder of a generated struct.
///
/// `builder!(Order OrderBuilder __OrderBuilder build { id: u64 } { name: String } { at: i64 } { note: String }
/// { left_at: i64 } { kind: Kind::Order })`: the type, the builder, the type of its members and its last method, then six lists
/// of members: required; required, set from any type that converts; optional; optional, set from any type that converts;
/// optional and nullable; members with a fixed value, which have no method.
#[doc(hidden)]
#[macro_export]
macro_rules! __builder {
    (
        $type:ident $builder:ident $members:ident $build:ident { $($name:ident: $held:ty),* } { $($into:ident: $into_held:ty),* }
        { $($optional:ident: $optional_held:ty),* } { $($optional_into:ident: $optional_into_held:ty),* } { $($nullable:ident: $nullable_held:ty),* }
        { $($fixed:ident: $value:expr),* }
    ) => {
        #[doc = concat!("Builds a [`", stringify!($type), "`] member by member, in any order.")]
        #[must_use]
        pub struct $builder<__Set = <$type as $crate::__private::Built>::Unset> {
            members: $members,
            set: ::std::marker::PhantomData<__Set>,
        }

        // what the compiler does for each member is most of a builder's cost: no calls, and no macros in the docs
        #[doc(hidden)]
        pub struct $members {
            $($name: ::std::option::Option<$held>,)*
            $($into: ::std::option::Option<$into_held>,)*
            $($optional: ::std::option::Option<$optional_held>,)*
            $($optional_into: ::std::option::Option<$optional_into_held>,)*
            $($nullable: $crate::__private::Nullable<$nullable_held>,)*
        }

        #[allow(clippy::all, clippy::pedantic, nonstandard_style, unreachable_pub)]
        const _: () = {
            mod __member {
                pub type All = $crate::__private::unset!($($name)* $($into)*);
                $(pub struct $name;)*
                $(pub struct $into;)*
            }

            impl $crate::__private::Built for $type {
                type Unset = __member::All;
            }

            impl $type {
                /// Returns a builder. Its last method compiles only after the methods of all required members were called.
                pub fn builder() -> $builder {
                    $builder {
                        members: $members {
                            $($name: ::std::option::Option::None,)*
                            $($into: ::std::option::Option::None,)*
                            $($optional: ::std::option::Option::None,)*
                            $($optional_into: ::std::option::Option::None,)*
                            $($nullable: $crate::__private::Nullable::Absent,)*
                        },
                        set: ::std::marker::PhantomData,
                    }
                }
            }

            impl<__Set> $builder<__Set> {
                $(
                    /// Sets this member, which is required.
                    pub fn $name<__At>(mut self, value: $held) -> $builder<__Set::After>
                    where
                        __Set: $crate::__private::Setting<__member::$name, __At>,
                    {
                        self.members.$name = ::std::option::Option::Some(value);
                        $builder { members: self.members, set: ::std::marker::PhantomData }
                    }
                )*
                $(
                    /// Sets this member, which is required.
                    pub fn $into<__At>(
                        mut self,
                        value: impl ::std::convert::Into<$into_held>,
                    ) -> $builder<__Set::After>
                    where
                        __Set: $crate::__private::Setting<__member::$into, __At>,
                    {
                        self.members.$into = ::std::option::Option::Some(::std::convert::Into::into(value));
                        $builder { members: self.members, set: ::std::marker::PhantomData }
                    }
                )*
                $(
                    /// Sets this member.
                    pub fn $optional(mut self, value: $optional_held) -> Self {
                        self.members.$optional = ::std::option::Option::Some(value);
                        self
                    }
                )*
                $(
                    /// Sets this member.
                    pub fn $optional_into(mut self, value: impl ::std::convert::Into<$optional_into_held>) -> Self {
                        self.members.$optional_into = ::std::option::Option::Some(::std::convert::Into::into(value));
                        self
                    }
                )*
                $(
                    /// Sets this member: a value, or `Nullable::Null`.
                    pub fn $nullable(
                        mut self,
                        value: impl ::std::convert::Into<$crate::__private::Nullable<$nullable_held>>,
                    ) -> Self {
                        self.members.$nullable = ::std::convert::Into::into(value);
                        self
                    }
                )*

                /// Returns the value. Compiles only if each required member is set.
                #[must_use]
                pub fn $build(self) -> $type
                where
                    __Set: $crate::__private::RequiredMembers,
                    <__Set as $crate::__private::RequiredMembers>::Missing: $crate::__private::NoneMissing,
                {
                    let $members {
                        $($name: ::std::option::Option::Some($name),)*
                        $($into: ::std::option::Option::Some($into),)*
                        $($optional,)*
                        $($optional_into,)*
                        $($nullable,)*
                    } = self.members else {
                        // the type of the builder proves that each one is set
                        $crate::__private::unset_member()
                    };
                    $type {
                        $($name,)*
                        $($into,)*
                        $($optional,)*
                        $($optional_into,)*
                        $($nullable,)*
                        $($fixed: $value,)*
                    }
                }
            }
        };
    };
}

/// Expands to the list of these members, none of which is set.
#[doc(hidden)]
#[macro_export]
macro_rules! __unset {
    () => { () };
    // several at once: each step copies the rest
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident $($rest:ident)*) => {
        ($crate::__private::Unset<$a>, ($crate::__private::Unset<$b>, ($crate::__private::Unset<$c>,
        ($crate::__private::Unset<$d>, ($crate::__private::Unset<$e>, ($crate::__private::Unset<$f>,
        ($crate::__private::Unset<$g>, ($crate::__private::Unset<$h>, $crate::__private::unset!($($rest)*)))))))))
    };
    ($member:ident $($rest:ident)*) => { ($crate::__private::Unset<$member>, $crate::__private::unset!($($rest)*)) };
}
