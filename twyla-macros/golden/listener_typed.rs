async fn answer(_: UserInput) {}
#[doc(hidden)]
#[allow(non_camel_case_types)]
struct answer {}
#[allow(unused_lifetimes)]
const _: () = {
    use ::twyla_runtime::__private as __twyla;
    #[allow(unused_imports)]
    use __twyla::Otherwise as _;
    const TWYLA_HANDLER: &str = ::core::concat!(
        ::core::module_path!(), "::", ::core::stringify!(answer)
    );
    const TWYLA_SCHEMAS: __twyla::record::Schemas = __twyla::IsAnyEvent::<
        UserInput,
    >::SCHEMAS;
    #[automatically_derived]
    impl __twyla::Listener for answer {
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
                    ["listens", < answer as __twyla::Listener > ::EVENT, "consumer",
                    TWYLA_SCHEMAS.content.digest, TWYLA_SCHEMAS.context.digest,
                    TWYLA_HANDLER,], & [TWYLA_SCHEMAS.content, TWYLA_SCHEMAS.context]
                ),
                needs: ::std::vec::Vec::new(),
                policy: ::core::default::Default::default(),
                handle: |incoming| {
                    let (content, parts) = match <UserInput as __twyla::Arrives<
                        { __twyla::IsAnyEvent::<UserInput>::HOLDS },
                    >>::open(incoming) {
                        ::core::result::Result::Ok(opened) => opened,
                        ::core::result::Result::Err(failure) => {
                            return __twyla::failed(failure);
                        }
                    };
                    __twyla::attempt(answer(content), <() as __twyla::Outcome>::outcome)
                },
            }
        }
    }
};
