::core::compile_error! {
    "`api.user_input` declares no property `emision`\n\nhelp: did you mean `emission`?\nnote: `emission` is declared at schemas/events/api/user_input.json:7"
}
struct Greeting {
    emision: String,
}
#[automatically_derived]
impl ::twyla_runtime::event::Event for Greeting {
    const NAME: &'static str = "api.user_input";
    const DOMAIN: &'static str = "api";
    const EVENT_TYPE: &'static str = "user_input";
    const SCHEMA: &'static str = "schemas/events/api/user_input.json:1";
    const SCHEMAS: ::twyla_runtime::record::Schemas = <crate::contracts::api::UserInput as ::twyla_runtime::event::Event>::SCHEMAS;
    const EMITS: &'static ::twyla_runtime::record::ContractRecord = <crate::contracts::api::UserInput as ::twyla_runtime::event::Event>::EMITS;
    type Key = ::twyla_runtime::event::EventKey<12812687169510636491u64>;
    type Context = crate::contracts::Context;
}
#[automatically_derived]
impl ::twyla_runtime::event::Listen for Greeting {
    fn decode(
        _: &[u8],
    ) -> ::core::result::Result<Self, ::twyla_runtime::__private::Refusal> {
        ::core::unreachable!()
    }
}
#[automatically_derived]
impl ::twyla_runtime::event::Emit for Greeting {
    fn encode(
        &self,
        _: &mut ::std::vec::Vec<u8>,
    ) -> ::core::result::Result<(), ::twyla_runtime::__private::Refusal> {
        ::core::unreachable!()
    }
}
