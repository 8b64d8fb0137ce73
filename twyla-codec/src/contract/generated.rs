//! The macro that generated code calls for each event and context: it implements their traits.

/// Implements the traits of an event or a context for its generated type.
#[doc(hidden)]
#[macro_export]
macro_rules! __contract {
    (
        event $type:ident, $name:literal, $domain:literal, $event_type:literal, $key:literal, $schema:literal,
        $context:path, $emits:literal, $digest:literal, $begins:literal, $form:literal
    ) => {
        impl $crate::event::Event for $type {
            const NAME: &'static str = $name;
            const DOMAIN: &'static str = $domain;
            const EVENT_TYPE: &'static str = $event_type;
            const SCHEMA: &'static str = $schema;
            const SCHEMAS: $crate::__private::record::Schemas = {
                static CONTENT: $crate::__private::record::Schema = $crate::__private::record::Schema {
                    digest: $digest,
                    record: concat!($begins, $form),
                    sensitive: <$type as $crate::__private::Validate>::SENSITIVE,
                };
                let context = <$context as $crate::event::EventContext>::COMPILED;
                $crate::__private::record::Schemas { content: &CONTENT, context }
            };
            const EMITS: &'static $crate::__private::record::ContractRecord =
                &$crate::__private::record::ContractRecord::new(
                    $emits,
                    &[<Self as $crate::event::Event>::SCHEMAS.content, <Self as $crate::event::Event>::SCHEMAS.context],
                );
            type Key = $crate::event::EventKey<$key>;
            type Context = $context;
        }
        impl $crate::event::Listen for $type {
            fn decode(content: &[u8]) -> ::std::result::Result<Self, $crate::validate::Refusal> {
                $crate::__private::decode(content)
            }
        }
        #[diagnostic::do_not_recommend]
        impl $crate::event::Emit for $type {
            fn encode(&self, out: &mut ::std::vec::Vec<u8>) -> ::std::result::Result<(), $crate::validate::Refusal> {
                $crate::__private::encode(self, out)
            }
        }
    };
    (context $type:ident, $schema:literal, $digest:literal, $begins:literal, $form:literal) => {
        impl $crate::event::EventContext for $type {
            const SCHEMA: &'static str = $schema;
            const COMPILED: &'static $crate::__private::record::Schema = {
                static CONTEXT: $crate::__private::record::Schema = $crate::__private::record::Schema {
                    digest: $digest,
                    record: concat!($begins, $form),
                    sensitive: <$type as $crate::__private::Validate>::SENSITIVE,
                };
                &CONTEXT
            };
            fn decode(context: &[u8]) -> ::std::result::Result<Self, $crate::validate::Refusal> {
                $crate::__private::decode(context)
            }
            fn encode(&self, out: &mut ::std::vec::Vec<u8>) -> ::std::result::Result<(), $crate::validate::Refusal> {
                $crate::__private::encode(self, out)
            }
        }
    };
}
