struct Order {
    id: String,
    r#type: Option<String>,
    tags: Tags,
}
#[allow(unused_lifetimes)]
const _: () = {
    use ::twyla_runtime::__private as __twyla;
    #[allow(unused_imports)]
    use __twyla::Otherwise as _;
    const ID_FITS: bool = __twyla::DoesFit::<
        String,
        __twyla::kind::Text,
        __twyla::Either,
    >::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "field `id` of `Order` is `{Self}`, but `order-id` of `shop.order` is a string",
        label = "expected `String`",
        note = "`order-id` is declared at schemas/events/shop/order.json:7",
        note = "write `id: String`, or put `#[event(unchecked)]` above the field to use a type of your own without a check"
    )]
    pub trait OrderIdOfOrder {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T: __twyla::Fits<__twyla::kind::Text, __twyla::Either>> OrderIdOfOrder for T {}
    const _: () = <String as OrderIdOfOrder>::MATCHES;
    const ID_HOLDS_ALL: bool = !ID_FITS
        || __twyla::DoesFit::<String, __twyla::kind::Text, __twyla::Reading>::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "`Order` cannot be listened to: its field `id` is `{Self}`, which cannot hold every value of `order-id` of `shop.order`",
        label = "`id` may be a string",
        note = "`order-id` is declared at schemas/events/shop/order.json:7",
        note = "write `id: String`"
    )]
    pub trait ReadOrderIdOfOrder {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> ReadOrderIdOfOrder for T
    where
        for<'a> __twyla::Verdict<{ ID_HOLDS_ALL }>: __twyla::Holds,
    {}
    const TYPE_FITS: bool = __twyla::DoesFit::<
        Option<String>,
        __twyla::kind::Optional<__twyla::kind::Text>,
        __twyla::Either,
    >::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "field `type` of `Order` is `{Self}`, but `type` of `shop.order` is a string",
        label = "expected `Option<String>`",
        note = "`type` is declared at schemas/events/shop/order.json:22",
        note = "write `type: Option<String>`, or put `#[event(unchecked)]` above the field to use a type of your own without a check"
    )]
    pub trait TypeOfOrder {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<
        T: __twyla::Fits<__twyla::kind::Optional<__twyla::kind::Text>, __twyla::Either>,
    > TypeOfOrder for T {}
    const _: () = <Option<String> as TypeOfOrder>::MATCHES;
    const TYPE_HOLDS_ALL: bool = !TYPE_FITS
        || __twyla::DoesFit::<
            Option<String>,
            __twyla::kind::Text,
            __twyla::Reading,
        >::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "`Order` cannot be listened to: its field `type` is `{Self}`, which cannot hold every value of `type` of `shop.order`",
        label = "`type` may be a string",
        note = "`type` is declared at schemas/events/shop/order.json:22",
        note = "write `type: Option<String>`"
    )]
    pub trait ReadTypeOfOrder {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> ReadTypeOfOrder for T
    where
        for<'a> __twyla::Verdict<{ TYPE_HOLDS_ALL }>: __twyla::Holds,
    {}
    const TYPE_HOLDS_NONE: bool = !TYPE_FITS || !TYPE_HOLDS_ALL
        || __twyla::DoesFit::<
            Option<String>,
            __twyla::kind::Optional<__twyla::kind::Text>,
            __twyla::Reading,
        >::HOLDS;
    #[diagnostic::on_unimplemented(
        message = "`Order` cannot be listened to: its field `type` is `{Self}`, but `type` of `shop.order` may be absent",
        label = "`type` may be absent",
        note = "`type` is declared at schemas/events/shop/order.json:22",
        note = "write `type: Option<{Self}>`, or put `#[serde(default)]` above the field"
    )]
    pub trait ReadNoTypeOfOrder {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> ReadNoTypeOfOrder for T
    where
        for<'a> __twyla::Verdict<{ TYPE_HOLDS_NONE }>: __twyla::Holds,
    {}
    const TAGS_FITS: bool = true;
    const _: () = <String as ReadOrderIdOfOrder>::MATCHES;
    const _: () = <Option<String> as ReadTypeOfOrder>::MATCHES;
    const _: () = <Option<String> as ReadNoTypeOfOrder>::MATCHES;
    #[automatically_derived]
    impl ::twyla_runtime::event::Event for Order {
        const NAME: &'static str = "shop.order";
        const DOMAIN: &'static str = "shop";
        const EVENT_TYPE: &'static str = "order";
        const SCHEMA: &'static str = "schemas/events/shop/order.json:1";
        type Key = ::twyla_runtime::event::EventKey<9317048837426960535u64>;
        const SCHEMAS: ::twyla_runtime::record::Schemas = <crate::contracts::shop::Order as ::twyla_runtime::event::Event>::SCHEMAS;
        const EMITS: &'static ::twyla_runtime::record::ContractRecord = <crate::contracts::shop::Order as ::twyla_runtime::event::Event>::EMITS;
        type Context = crate::contracts::Context;
    }
    #[derive(__twyla::serde::Deserialize)]
    #[serde(crate = "::twyla_runtime::__private::serde")]
    struct OrderRead {
        #[serde(rename = "order-id")]
        id: __twyla::ReadField<String, { ID_FITS }>,
        #[serde(rename = "type")]
        r#type: __twyla::ReadField<Option<String>, { TYPE_FITS }>,
        #[serde(rename = "tags", default = "default_tags", with = "tags")]
        tags: Tags,
    }
    fn default_tags() -> Tags {
        none()
    }
    #[automatically_derived]
    impl ::twyla_runtime::event::Listen for Order {
        fn decode(content: &[u8]) -> ::core::result::Result<Self, __twyla::Refusal> {
            let read = __twyla::decode_as::<
                crate::contracts::shop::Order,
                OrderRead,
            >(content)?;
            ::core::result::Result::Ok(Self {
                id: read.id.0,
                r#type: read.r#type.0,
                tags: read.tags,
            })
        }
    }
    #[diagnostic::on_unimplemented(
        message = "`Order` cannot be emitted: it has no `quantity`, `note`, which `shop.order` requires",
        label = "has no `quantity`, `note`",
        note = "`quantity` is declared at schemas/events/shop/order.json:8",
        note = "`note` is declared at schemas/events/shop/order.json:12",
        note = "add the missing field to `Order`, or emit a `contracts::shop::Order`"
    )]
    pub trait WriteOrder {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<T> WriteOrder for T
    where
        for<'a> __twyla::Verdict<{ false }>: __twyla::Holds,
    {}
    #[automatically_derived]
    impl ::twyla_runtime::event::Emit for Order
    where
        for<'a> __twyla::Nothing: WriteOrder,
    {
        fn encode(
            &self,
            _: &mut ::std::vec::Vec<u8>,
        ) -> ::core::result::Result<(), ::twyla_runtime::__private::Refusal> {
            ::core::unreachable!()
        }
    }
};
