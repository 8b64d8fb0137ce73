struct Answer {
    text: String,
}
#[allow(unused_lifetimes)]
const _: () = {
    use ::twyla_runtime::__private as __twyla;
    #[allow(unused_imports)]
    use __twyla::Otherwise as _;
    const TEXT_FITS: bool = __twyla::DoesFit::<
        String,
        __twyla::kind::Text,
        __twyla::Either,
    >::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "field `text` of `Answer` is `{Self}`, but `text` of `bot.reply` is a string",
        label = "expected `String`",
        note = "`text` is declared at schemas/events/bot/reply.json:7",
        note = "write `text: String`, or put `#[event(unchecked)]` above the field to use a type of your own without a check"
    )]
    pub trait TextOfReply {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T: __twyla::Fits<__twyla::kind::Text, __twyla::Either>> TextOfReply for T {}
    const _: () = <String as TextOfReply>::MATCHES;
    const TEXT_IS_WRITTEN: bool = !TEXT_FITS
        || __twyla::DoesFit::<String, __twyla::kind::Text, __twyla::Writing>::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "`Answer` cannot be emitted: its field `text` is `{Self}`, which may have no value, but `bot.reply` requires one",
        label = "`text` may be missing",
        note = "`text` is declared at schemas/events/bot/reply.json:7",
        note = "write `text: String`, or emit a `contracts::bot::Reply`"
    )]
    pub trait WriteTextOfReply {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> WriteTextOfReply for T
    where
        for<'a> __twyla::Verdict<{ TEXT_IS_WRITTEN }>: __twyla::Holds,
    {}
    const _: () = <String as WriteTextOfReply>::MATCHES;
    #[automatically_derived]
    impl ::twyla_runtime::event::Event for Answer {
        const NAME: &'static str = "bot.reply";
        const DOMAIN: &'static str = "bot";
        const EVENT_TYPE: &'static str = "reply";
        const SCHEMA: &'static str = "schemas/events/bot/reply.json:1";
        type Key = ::twyla_runtime::event::EventKey<17691312760881946708u64>;
        const SCHEMAS: ::twyla_runtime::record::Schemas = <crate::api::bot::Reply as ::twyla_runtime::event::Event>::SCHEMAS;
        const EMITS: &'static ::twyla_runtime::record::ContractRecord = <crate::api::bot::Reply as ::twyla_runtime::event::Event>::EMITS;
        type Context = crate::api::Context;
    }
    #[diagnostic::on_unimplemented(
        message = "`Answer` is declared for emitting, so it cannot be listened to",
        label = "is for emitting only",
        note = "`bot.reply` is declared in schemas/events/bot/reply.json:1",
        note = "remove `emit` from its `#[event(..)]`, or use `contracts::bot::Reply`"
    )]
    pub trait ReadReply {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> ReadReply for T
    where
        for<'a> __twyla::Verdict<{ false }>: __twyla::Holds,
    {}
    #[automatically_derived]
    impl ::twyla_runtime::event::Listen for Answer
    where
        for<'a> __twyla::Nothing: ReadReply,
    {
        fn decode(
            _: &[u8],
        ) -> ::core::result::Result<Self, ::twyla_runtime::__private::Refusal> {
            ::core::unreachable!()
        }
    }
    #[derive(__twyla::serde::Serialize)]
    #[serde(crate = "::twyla_runtime::__private::serde")]
    struct AnswerWritten<'a> {
        #[serde(rename = "text")]
        text: __twyla::WrittenField<'a, String, { TEXT_FITS }>,
    }
    #[automatically_derived]
    impl ::twyla_runtime::event::Emit for Answer {
        fn encode(
            &self,
            out: &mut ::std::vec::Vec<u8>,
        ) -> ::core::result::Result<(), __twyla::Refusal> {
            __twyla::encode_as::<
                crate::api::bot::Reply,
                AnswerWritten,
            >(
                &AnswerWritten {
                    text: __twyla::WrittenField(&self.text),
                },
                out,
            )
        }
    }
};
