async fn book(mut inputs: Batch<UserInput>) {}
#[doc(hidden)]
#[allow(non_camel_case_types)]
struct book {}
#[allow(unused_lifetimes)]
const _: () = {
    use ::twyla_runtime::__private as __twyla;
    #[allow(unused_imports)]
    use __twyla::Otherwise as _;
    const TWYLA_HANDLER: &str = ::core::concat!(
        ::core::module_path!(), "::", ::core::stringify!(book)
    );
    const TWYLA_SCHEMAS: __twyla::record::Schemas = __twyla::IsAnyEvent::<
        UserInput,
    >::SCHEMAS;
    const TWYLA_BATCHING: __twyla::Batching = __twyla::Batching {
        size: 500u16,
        within: ::core::time::Duration::from_millis(200u64),
        open: <UserInput as __twyla::Arrives<
            { __twyla::IsAnyEvent::<UserInput>::HOLDS },
        >>::open_in_batch,
        handle: |incoming| {
            let (opened, parts) = __twyla::BatchParts::split(incoming);
            let len = opened.len();
            let _ = &parts;
            let content = <Batch<
                UserInput,
            > as __twyla::BatchOf<UserInput>>::collect(opened, &parts);
            __twyla::attempt_batch(
                len,
                book(content),
                <() as __twyla::BatchOutcome>::outcome,
            )
        },
    };
    #[automatically_derived]
    impl __twyla::Listener for book {
        const EVENT: &'static str = <UserInput as __twyla::Content>::NAME;
        const GROUP: &'static str = "consumer";
        fn registration() -> __twyla::Registration {
            __twyla::Registration {
                event: <Self as __twyla::Listener>::EVENT,
                domain: <UserInput as __twyla::Content>::DOMAIN,
                event_type: <UserInput as __twyla::Content>::EVENT_TYPE,
                group: <Self as __twyla::Listener>::GROUP,
                handler: TWYLA_HANDLER,
                record: __twyla::record!(
                    ["listens", < book as __twyla::Listener > ::EVENT, "consumer",
                    TWYLA_SCHEMAS.content.digest, TWYLA_SCHEMAS.context.digest,
                    TWYLA_HANDLER,], & [TWYLA_SCHEMAS.content, TWYLA_SCHEMAS.context]
                ),
                needs: ::std::vec::Vec::new(),
                policy: __twyla::Policy {
                    batch: ::core::option::Option::Some(TWYLA_BATCHING),
                    ..::core::default::Default::default()
                },
                handle: |incoming| __twyla::alone(incoming, &TWYLA_BATCHING),
            }
        }
    }
};
