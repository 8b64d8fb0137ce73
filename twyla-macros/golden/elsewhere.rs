struct Answer {
    text: String,
}
#[allow(unused_lifetimes)]
const _: () = {
    #[allow(unused_imports)]
    use ::twyla_runtime::__private::stand_in as __twyla_stand_in;
    use platform::{__twyla_contracts as __twyla_carrier, Context as __TwylaContext};
    {
        __twyla_carrier! {
            { ::twyla_runtime::__private::expand } event { "bot.reply", contracts =
            platform } { struct Answer { text : String } } { use
            ::twyla_runtime::__private::no_stand_in as __twyla_stand_in; }
        }
        #[automatically_derived]
        impl __twyla_stand_in::Event for Answer {
            const NAME: &'static str = "bot.reply";
            const DOMAIN: &'static str = "bot";
            const EVENT_TYPE: &'static str = "reply";
            const SCHEMA: &'static str = "";
            type Key = ::twyla_runtime::event::EventKey<17691312760881946708u64>;
            const SCHEMAS: ::twyla_runtime::record::Schemas = ::twyla_runtime::record::Schemas::NONE;
            const EMITS: &'static ::twyla_runtime::record::ContractRecord = &::twyla_runtime::record::ContractRecord::none(
                "",
            );
            type Context = __TwylaContext;
        }
        #[automatically_derived]
        impl __twyla_stand_in::Listen for Answer {
            fn decode(
                _: &[u8],
            ) -> ::core::result::Result<Self, ::twyla_runtime::__private::Refusal> {
                ::core::unreachable!()
            }
        }
        #[automatically_derived]
        impl __twyla_stand_in::Emit for Answer {
            fn encode(
                &self,
                _: &mut ::std::vec::Vec<u8>,
            ) -> ::core::result::Result<(), ::twyla_runtime::__private::Refusal> {
                ::core::unreachable!()
            }
        }
    }
};
async fn answer(_: UserInput) {}
#[doc(hidden)]
#[allow(non_camel_case_types)]
struct answer {}
#[allow(unused_lifetimes)]
const _: () = {
    #[allow(unused_imports)]
    use ::twyla_runtime::__private::stand_in as __twyla_stand_in;
    {
        platform::__twyla_contracts! {
            { ::twyla_runtime::__private::expand } listener { "api.user_input", contracts
            = platform } { async fn answer(_ : UserInput) {} } { use
            ::twyla_runtime::__private::no_stand_in as __twyla_stand_in; }
        }
        impl __twyla_stand_in::Listener for answer {
            const EVENT: &'static str = "";
            const GROUP: &'static str = ::core::concat!(
                ::core::line!(), ":", ::core::column!(), ::core::stringify!(answer)
            );
            fn registration() -> ::twyla_runtime::__private::Registration {
                ::core::unreachable!()
            }
        }
    }
};
async fn find(_: FindRequest) -> Result<Note, Error> {
    Err(Error)
}
#[doc(hidden)]
#[allow(non_camel_case_types)]
struct find {}
#[allow(unused_lifetimes)]
const _: () = {
    #[allow(unused_imports)]
    use ::twyla_runtime::__private::stand_in as __twyla_stand_in;
    {
        platform::__twyla_contracts! {
            { ::twyla_runtime::__private::expand } rpc { "desk.find", contracts =
            platform } { async fn find(_ : FindRequest) -> Result < Note, Error > {
            Err(Error) } } { use ::twyla_runtime::__private::no_stand_in as
            __twyla_stand_in; }
        }
        impl __twyla_stand_in::Handler for find {
            const NAME: &'static str = "";
            const METHOD: &'static str = ::core::concat!(
                ::core::line!(), ":", ::core::column!(), ::core::stringify!(find)
            );
            fn registration() -> ::twyla_runtime::__private::calls::Registration {
                ::core::unreachable!()
            }
        }
    }
};
