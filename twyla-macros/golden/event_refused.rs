::core::compile_error! {
    "`api.user_input` declares no property `emision`\n\nhelp: did you mean `emission`?\nnote: `emission` is declared at schemas/events/api/user_input.json:7"
}
struct Greeting {
    emision: String,
}
#[allow(unused_lifetimes)]
const _: () = {
    #[automatically_derived]
    impl ::twyla_runtime::__private::stand_in::Event for Greeting {
        const NAME: &'static str = "api.user_input";
        const DOMAIN: &'static str = "api";
        const EVENT_TYPE: &'static str = "user_input";
        const SCHEMA: &'static str = "schemas/events/api/user_input.json:1";
        type Key = ::twyla_runtime::event::EventKey<12812687169510636491u64>;
        const SCHEMAS: ::twyla_runtime::record::Schemas = ::twyla_runtime::record::Schemas::NONE;
        const EMITS: &'static ::twyla_runtime::record::ContractRecord = &::twyla_runtime::record::ContractRecord::none(
            "",
        );
        type Context = crate::contracts::Context;
    }
    #[automatically_derived]
    impl ::twyla_runtime::__private::stand_in::Listen for Greeting {
        fn decode(
            _: &[u8],
        ) -> ::core::result::Result<Self, ::twyla_runtime::__private::Refusal> {
            ::core::unreachable!()
        }
    }
    #[automatically_derived]
    impl ::twyla_runtime::__private::stand_in::Emit for Greeting {
        fn encode(
            &self,
            _: &mut ::std::vec::Vec<u8>,
        ) -> ::core::result::Result<(), ::twyla_runtime::__private::Refusal> {
            ::core::unreachable!()
        }
    }
};
