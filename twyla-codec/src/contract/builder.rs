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

/// Setting a member, in a list of required members. `At` is its position, which the compiler infers.
pub trait Setting<Member, At> {
    /// The list with the member set.
    type After;
}

/// The position of the first member.
#[derive(Debug)]
pub struct Here;

/// A position in the rest of the list.
#[derive(Debug)]
pub struct Behind<At>(PhantomData<At>);

impl<Member, Rest> Setting<Member, Here> for (Unset<Member>, Rest) {
    type After = (Set<Member>, Rest);
}

// the last value counts
impl<Member, Rest> Setting<Member, Here> for (Set<Member>, Rest) {
    type After = Self;
}

impl<Member, Other, Rest: Setting<Member, At>, At> Setting<Member, Behind<At>> for (Other, Rest) {
    type After = (Other, Rest::After);
}

/// All required members are set.
pub trait Complete {}

impl Complete for () {}

impl<Member, Rest: Complete> Complete for (Set<Member>, Rest) {}

impl<Member, Rest: Complete> Complete for (Unset<Member>, Rest) where Unset<Member>: IsSet<Member> {}

/// A member is set.
#[diagnostic::on_unimplemented(
    message = "a required member is not set: `{Member}`",
    label = "set it before this method"
)]
pub trait IsSet<Member> {}

impl<Member> IsSet<Member> for Set<Member> {}

/// A type with a builder.
pub trait Built {
    /// The members that are given so far.
    type Members;
    /// The list of required members, none of which is set.
    type Unset;
}

/// Returns the value of a required member: the type of the builder proves that it is set.
pub fn set<T>(member: Option<T>) -> T {
    member.unwrap_or_else(|| unreachable!("a builder was built without a required member"))
}

/// Implements the builder of a generated struct.
///
/// `builder!(Order OrderBuilder build { id: u64 } { name } { at: i64 } { note } { left_at: i64 }
/// { kind: Kind::Order })`: the type, the builder, its last method; the required members, those that are strings, the optional
/// ones, those that are strings, those that may be null too, and members that are not given.
#[doc(hidden)]
#[macro_export]
macro_rules! __builder {
    (
        $type:ident $builder:ident $build:ident { $($name:ident: $held:ty),* } { $($text:ident),* }
        { $($optional:ident: $optional_held:ty),* } { $($optional_text:ident),* } { $($nullable:ident: $nullable_held:ty),* }
        { $($fixed:ident: $value:expr),* }
    ) => {
        #[doc = concat!("Builds a [`", stringify!($type), "`] member by member, in any order.")]
        #[must_use]
        pub struct $builder<__Set = <$type as $crate::__private::Built>::Unset> {
            members: <$type as $crate::__private::Built>::Members,
            set: ::std::marker::PhantomData<__Set>,
        }

        impl $type {
            /// Returns a builder. Its last method compiles only after the methods of all required members were called.
            pub fn builder() -> $builder {
                let members = <<Self as $crate::__private::Built>::Members as ::std::default::Default>::default();
                $builder { members, set: ::std::marker::PhantomData }
            }
        }

        #[allow(clippy::all, clippy::pedantic, nonstandard_style, unreachable_pub)]
        const _: () = {
            // the types of members may have any name that doesn't begin with `__`
            pub struct __Members {
                $($name: ::std::option::Option<$held>,)*
                $($text: ::std::option::Option<::std::string::String>,)*
                $($optional: ::std::option::Option<$optional_held>,)*
                $($optional_text: ::std::option::Option<::std::string::String>,)*
                $($nullable: $crate::__private::Nullable<$nullable_held>,)*
            }

            impl ::std::default::Default for __Members {
                fn default() -> Self {
                    Self {
                        $($name: ::std::option::Option::None,)*
                        $($text: ::std::option::Option::None,)*
                        $($optional: ::std::option::Option::None,)*
                        $($optional_text: ::std::option::Option::None,)*
                        $($nullable: $crate::__private::Nullable::Absent,)*
                    }
                }
            }

            impl $crate::__private::Built for $type {
                type Members = __Members;
                type Unset = __member::All;
            }

            mod __member {
                pub type All = $crate::__private::unset!($($name)* $($text)*);
                $(pub struct $name;)*
                $(pub struct $text;)*
            }

            impl<__Set> $builder<__Set> {
                $(
                    #[doc = concat!("Sets `", stringify!($name), "`, which is required.")]
                    pub fn $name<__At>(mut self, value: $held) -> $builder<__Set::After>
                    where
                        __Set: $crate::__private::Setting<__member::$name, __At>,
                    {
                        self.members.$name = ::std::option::Option::Some(value);
                        $builder { members: self.members, set: ::std::marker::PhantomData }
                    }
                )*
                $(
                    #[doc = concat!("Sets `", stringify!($text), "`, which is required.")]
                    pub fn $text<__At>(
                        mut self,
                        value: impl ::std::convert::Into<::std::string::String>,
                    ) -> $builder<__Set::After>
                    where
                        __Set: $crate::__private::Setting<__member::$text, __At>,
                    {
                        self.members.$text = ::std::option::Option::Some(value.into());
                        $builder { members: self.members, set: ::std::marker::PhantomData }
                    }
                )*
                $(
                    #[doc = concat!("Sets `", stringify!($optional), "`.")]
                    pub fn $optional(mut self, value: $optional_held) -> Self {
                        self.members.$optional = ::std::option::Option::Some(value);
                        self
                    }
                )*
                $(
                    #[doc = concat!("Sets `", stringify!($optional_text), "`.")]
                    pub fn $optional_text(mut self, value: impl ::std::convert::Into<::std::string::String>) -> Self {
                        self.members.$optional_text = ::std::option::Option::Some(value.into());
                        self
                    }
                )*
                $(
                    #[doc = concat!("Sets `", stringify!($nullable), "`: a value, or `Nullable::Null`.")]
                    pub fn $nullable(
                        mut self,
                        value: impl ::std::convert::Into<$crate::__private::Nullable<$nullable_held>>,
                    ) -> Self {
                        self.members.$nullable = value.into();
                        self
                    }
                )*

                /// Returns the value. Compiles only if each required member is set.
                #[must_use]
                pub fn $build(self) -> $type
                where
                    __Set: $crate::__private::Complete,
                {
                    let members = self.members;
                    $type {
                        $($name: $crate::__private::set(members.$name),)*
                        $($text: $crate::__private::set(members.$text),)*
                        $($optional: members.$optional,)*
                        $($optional_text: members.$optional_text,)*
                        $($nullable: members.$nullable,)*
                        $($fixed: $value,)*
                    }
                }
            }
        };
    };
}

/// The list of these members, none of which is set.
#[doc(hidden)]
#[macro_export]
macro_rules! __unset {
    () => { () };
    ($member:ident $($rest:ident)*) => { ($crate::__private::Unset<$member>, $crate::__private::unset!($($rest)*)) };
}
