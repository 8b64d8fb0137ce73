#[derive(Debug)]
pub struct Greeting {
    pub emission: String,
    attempt: Option<u8>,
}
#[allow(unused_lifetimes)]
const _: () = {
    use ::twyla_runtime::__private as __twyla;
    #[allow(unused_imports)]
    use __twyla::Otherwise as _;
    const EMISSION_FITS: bool = __twyla::DoesFit::<
        String,
        __twyla::kind::Text,
        __twyla::Either,
    >::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "field `emission` of `Greeting` is `{Self}`, but `emission` of `api.user_input` is a string",
        label = "expected `String`",
        note = "`emission` is declared at schemas/events/api/user_input.json:7",
        note = "write `emission: String`, or put `#[event(unchecked)]` above the field to use a type of your own without a check"
    )]
    pub trait EmissionOfUserInput {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T: __twyla::Fits<__twyla::kind::Text, __twyla::Either>> EmissionOfUserInput
    for T {}
    const _: () = <String as EmissionOfUserInput>::MATCHES;
    const EMISSION_HOLDS_ALL: bool = !EMISSION_FITS
        || __twyla::DoesFit::<String, __twyla::kind::Text, __twyla::Reading>::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "`Greeting` cannot be listened to: its field `emission` is `{Self}`, which cannot hold every value of `emission` of `api.user_input`",
        label = "`emission` may be a string",
        note = "`emission` is declared at schemas/events/api/user_input.json:7",
        note = "write `emission: String`"
    )]
    pub trait ReadEmissionOfUserInput {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> ReadEmissionOfUserInput for T
    where
        for<'a> __twyla::Verdict<{ EMISSION_HOLDS_ALL }>: __twyla::Holds,
    {}
    const EMISSION_IS_WRITTEN: bool = !EMISSION_FITS
        || __twyla::DoesFit::<String, __twyla::kind::Text, __twyla::Writing>::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "`Greeting` cannot be emitted: its field `emission` is `{Self}`, which may have no value, but `api.user_input` requires one",
        label = "`emission` may be missing",
        note = "`emission` is declared at schemas/events/api/user_input.json:7",
        note = "write `emission: String`, or emit a `contracts::api::UserInput`"
    )]
    pub trait WriteEmissionOfUserInput {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> WriteEmissionOfUserInput for T
    where
        for<'a> __twyla::Verdict<{ EMISSION_IS_WRITTEN }>: __twyla::Holds,
    {}
    const ATTEMPT_FITS: bool = __twyla::DoesFit::<
        Option<u8>,
        __twyla::kind::Optional<__twyla::kind::Integer<u8, i8>>,
        __twyla::Either,
    >::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "field `attempt` of `Greeting` is `{Self}`, but `attempt` of `api.user_input` is an integer from 1 to 100",
        label = "expected `Option<u64>`",
        note = "`attempt` is declared at schemas/events/api/user_input.json:18",
        note = "write `attempt: Option<u64>`, or put `#[event(unchecked)]` above the field to use a type of your own without a check"
    )]
    pub trait AttemptOfUserInput {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<
        T: __twyla::Fits<
                __twyla::kind::Optional<__twyla::kind::Integer<u8, i8>>,
                __twyla::Either,
            >,
    > AttemptOfUserInput for T {}
    const _: () = <Option<u8> as AttemptOfUserInput>::MATCHES;
    const ATTEMPT_HOLDS_ALL: bool = !ATTEMPT_FITS
        || __twyla::DoesFit::<
            Option<u8>,
            __twyla::kind::Integer<u8, i8>,
            __twyla::Reading,
        >::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "`Greeting` cannot be listened to: its field `attempt` is `{Self}`, which cannot hold every value of `attempt` of `api.user_input`",
        label = "`attempt` may be an integer from 1 to 100",
        note = "`attempt` is declared at schemas/events/api/user_input.json:18",
        note = "write `attempt: Option<u64>`"
    )]
    pub trait ReadAttemptOfUserInput {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> ReadAttemptOfUserInput for T
    where
        for<'a> __twyla::Verdict<{ ATTEMPT_HOLDS_ALL }>: __twyla::Holds,
    {}
    const ATTEMPT_IS_WRITTEN: bool = !ATTEMPT_FITS
        || __twyla::DoesFit::<
            Option<u8>,
            __twyla::kind::Optional<__twyla::kind::Integer<u8, i8>>,
            __twyla::Writing,
        >::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "`Greeting` cannot be emitted: its field `attempt` is `{Self}`, which may have no value, but `api.user_input` requires one",
        label = "`attempt` may be missing",
        note = "`attempt` is declared at schemas/events/api/user_input.json:18",
        note = "write `attempt: Option<u64>`, or emit a `contracts::api::UserInput`"
    )]
    pub trait WriteAttemptOfUserInput {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> WriteAttemptOfUserInput for T
    where
        for<'a> __twyla::Verdict<{ ATTEMPT_IS_WRITTEN }>: __twyla::Holds,
    {}
    #[diagnostic::on_unimplemented(
        message = "`Greeting` can neither be listened to nor emitted as `api.user_input`",
        label = "some fields fit only listening, and others only emitting",
        note = "`api.user_input` is declared in schemas/events/api/user_input.json:1",
        note = "write `#[event(\"api.user_input\", listen)]` or `#[event(\"api.user_input\", emit)]` to see the fields that don't fit"
    )]
    pub trait GreetingEitherWay {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> GreetingEitherWay for T
    where
        for<'a> __twyla::Verdict<
            {
                !(EMISSION_FITS && ATTEMPT_FITS)
                    || (EMISSION_HOLDS_ALL && ATTEMPT_HOLDS_ALL)
                    || (EMISSION_IS_WRITTEN && ATTEMPT_IS_WRITTEN)
            },
        >: __twyla::Holds,
    {}
    const _: () = <Greeting as GreetingEitherWay>::MATCHES;
    #[automatically_derived]
    impl ::twyla_runtime::event::Event for Greeting {
        const NAME: &'static str = "api.user_input";
        const DOMAIN: &'static str = "api";
        const EVENT_TYPE: &'static str = "user_input";
        const SCHEMA: &'static str = "schemas/events/api/user_input.json:1";
        type Key = ::twyla_runtime::event::EventKey<12812687169510636491u64>;
        const SCHEMAS: ::twyla_runtime::record::Schemas = <crate::contracts::api::UserInput as ::twyla_runtime::event::Event>::SCHEMAS;
        const EMITS: &'static ::twyla_runtime::record::ContractRecord = <crate::contracts::api::UserInput as ::twyla_runtime::event::Event>::EMITS;
        type Context = crate::contracts::Context;
    }
    #[derive(__twyla::serde::Deserialize)]
    #[serde(crate = "::twyla_runtime::__private::serde")]
    struct GreetingRead {
        #[serde(rename = "emission")]
        emission: __twyla::ReadField<String, { EMISSION_FITS }>,
        #[serde(rename = "attempt", default = "default_attempt")]
        attempt: __twyla::ReadField<Option<u8>, { ATTEMPT_FITS }>,
    }
    fn default_attempt() -> __twyla::ReadField<Option<u8>, { ATTEMPT_FITS }> {
        __twyla::ReadField(<Option<u8> as ::core::default::Default>::default())
    }
    #[automatically_derived]
    impl ::twyla_runtime::event::Listen for Greeting
    where
        for<'a> String: ReadEmissionOfUserInput,
        for<'a> Option<u8>: ReadAttemptOfUserInput,
    {
        fn decode(content: &[u8]) -> ::core::result::Result<Self, __twyla::Refusal> {
            let read = __twyla::decode_as::<
                crate::contracts::api::UserInput,
                GreetingRead,
            >(content)?;
            ::core::result::Result::Ok(Self {
                emission: read.emission.0,
                attempt: read.attempt.0,
            })
        }
    }
    #[derive(__twyla::serde::Serialize)]
    #[serde(crate = "::twyla_runtime::__private::serde")]
    struct GreetingWritten<'a> {
        #[serde(rename = "emission")]
        emission: __twyla::WrittenField<'a, String, { EMISSION_FITS }>,
        #[serde(
            rename = "attempt",
            skip_serializing_if = "::twyla_runtime::__private::is_absent"
        )]
        attempt: __twyla::WrittenField<'a, Option<u8>, { ATTEMPT_FITS }>,
    }
    #[automatically_derived]
    impl ::twyla_runtime::event::Emit for Greeting
    where
        for<'a> String: WriteEmissionOfUserInput,
        for<'a> Option<u8>: WriteAttemptOfUserInput,
    {
        fn encode(
            &self,
            out: &mut ::std::vec::Vec<u8>,
        ) -> ::core::result::Result<(), __twyla::Refusal> {
            __twyla::encode_as::<
                crate::contracts::api::UserInput,
                GreetingWritten,
            >(
                &GreetingWritten {
                    emission: __twyla::WrittenField(&self.emission),
                    attempt: __twyla::WrittenField(&self.attempt),
                },
                out,
            )
        }
    }
};
