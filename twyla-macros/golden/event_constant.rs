struct Signed {
    kind: String,
}
#[allow(unused_lifetimes)]
const _: () = {
    use ::twyla_runtime::__private as __twyla;
    #[allow(unused_imports)]
    use __twyla::Otherwise as _;
    const KIND_FITS: bool = __twyla::DoesFit::<
        String,
        __twyla::kind::Word<()>,
        __twyla::Either,
    >::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "field `kind` of `Signed` is `{Self}`, but `kind` of `shop.signed` is one of \"order\"",
        label = "expected `String`",
        note = "`kind` is declared at schemas/events/shop/signed.json:5",
        note = "write `kind: String`, or put `#[event(unchecked)]` above the field to use a type of your own without a check"
    )]
    pub trait KindOfSigned {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T: __twyla::Fits<__twyla::kind::Word<()>, __twyla::Either>> KindOfSigned for T {}
    const _: () = <String as KindOfSigned>::MATCHES;
    const KIND_HOLDS_ALL: bool = !KIND_FITS
        || __twyla::DoesFit::<String, __twyla::kind::Word<()>, __twyla::Reading>::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "`Signed` cannot be listened to: its field `kind` is `{Self}`, which cannot hold every value of `kind` of `shop.signed`",
        label = "`kind` may be one of \"order\"",
        note = "`kind` is declared at schemas/events/shop/signed.json:5",
        note = "write `kind: String`"
    )]
    pub trait ReadKindOfSigned {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> ReadKindOfSigned for T
    where
        for<'a> __twyla::Verdict<{ KIND_HOLDS_ALL }>: __twyla::Holds,
    {}
    const KIND_IS_WRITTEN: bool = !KIND_FITS
        || __twyla::DoesFit::<String, __twyla::kind::Word<()>, __twyla::Writing>::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "`Signed` cannot be emitted: its field `kind` is `{Self}`, which may have no value, but `shop.signed` requires one",
        label = "`kind` may be missing",
        note = "`kind` is declared at schemas/events/shop/signed.json:5",
        note = "write `kind: String`, or emit a `contracts::shop::Signed`"
    )]
    pub trait WriteKindOfSigned {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> WriteKindOfSigned for T
    where
        for<'a> __twyla::Verdict<{ KIND_IS_WRITTEN }>: __twyla::Holds,
    {}
    #[automatically_derived]
    impl ::twyla_runtime::event::Event for Signed {
        const NAME: &'static str = "shop.signed";
        const DOMAIN: &'static str = "shop";
        const EVENT_TYPE: &'static str = "signed";
        const SCHEMA: &'static str = "schemas/events/shop/signed.json:1";
        type Key = ::twyla_runtime::event::EventKey<8803217030328610165u64>;
        const SCHEMAS: ::twyla_runtime::record::Schemas = <crate::contracts::shop::Signed as ::twyla_runtime::event::Event>::SCHEMAS;
        const EMITS: &'static ::twyla_runtime::record::ContractRecord = <crate::contracts::shop::Signed as ::twyla_runtime::event::Event>::EMITS;
        type Context = crate::contracts::Context;
    }
    #[derive(__twyla::serde::Deserialize)]
    #[serde(crate = "::twyla_runtime::__private::serde")]
    struct SignedRead {
        #[serde(rename = "kind")]
        kind: __twyla::ReadField<String, { KIND_FITS }>,
    }
    #[automatically_derived]
    impl ::twyla_runtime::event::Listen for Signed
    where
        for<'a> String: ReadKindOfSigned,
    {
        fn decode(content: &[u8]) -> ::core::result::Result<Self, __twyla::Refusal> {
            let read = __twyla::decode_as::<
                crate::contracts::shop::Signed,
                SignedRead,
            >(content)?;
            ::core::result::Result::Ok(Self { kind: read.kind.0 })
        }
    }
    #[derive(__twyla::serde::Serialize)]
    #[serde(crate = "::twyla_runtime::__private::serde")]
    struct SignedWritten<'a> {
        #[serde(rename = "kind")]
        kind: __twyla::WrittenField<'a, String, { KIND_FITS }>,
    }
    #[automatically_derived]
    impl ::twyla_runtime::event::Emit for Signed
    where
        for<'a> String: WriteKindOfSigned,
    {
        fn encode(
            &self,
            out: &mut ::std::vec::Vec<u8>,
        ) -> ::core::result::Result<(), __twyla::Refusal> {
            __twyla::encode_as::<
                crate::contracts::shop::Signed,
                SignedWritten,
            >(
                &SignedWritten {
                    kind: __twyla::WrittenField(&self.kind),
                },
                out,
            )
        }
    }
};
