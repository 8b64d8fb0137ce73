async fn book(inputs: Vec<UserInput>, State(db): State<Db>) -> Result<(), BatchFail> {
    Ok(())
}
#[doc(hidden)]
#[allow(non_camel_case_types)]
struct book {}
#[allow(unused_lifetimes)]
const _: () = {
    use ::twyla_runtime::__private as __twyla;
    #[allow(unused_imports)]
    use __twyla::Otherwise as _;
    #[diagnostic::on_unimplemented(
        message = "handler `book` listens to `api.user_input`, but its first argument is `{Self}`",
        label = "not the content of `api.user_input`",
        note = "`api.user_input` is declared in schemas/events/api/user_input.json:1",
        note = "take `contracts::api::UserInput`, or a struct with `#[event(\"api.user_input\")]`"
    )]
    trait ContentOfUserInput {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<
        T: ::twyla_runtime::event::Event<
                Key = ::twyla_runtime::event::EventKey<12812687169510636491u64>,
            >,
    > ContentOfUserInput for T {}
    const _: () = <UserInput as ContentOfUserInput>::MATCHES;
    const TWYLA_HANDLER: &str = ::core::concat!(
        ::core::module_path!(), "::", ::core::stringify!(book)
    );
    const TWYLA_SCHEMAS: __twyla::record::Schemas = __twyla::IsEvent::<
        UserInput,
        ::twyla_runtime::event::EventKey<12812687169510636491u64>,
    >::SCHEMAS;
    const TWYLA_BATCHING: __twyla::Batching = __twyla::Batching {
        size: 500u16,
        within: ::core::time::Duration::from_millis(1000u64),
        open: <UserInput as __twyla::Arrives<
            {
                __twyla::IsEvent::<
                    UserInput,
                    ::twyla_runtime::event::EventKey<12812687169510636491u64>,
                >::HOLDS
            },
        >>::open_in_batch,
        handle: |incoming| {
            let (opened, parts) = __twyla::BatchParts::split(incoming);
            let len = opened.len();
            let _ = &parts;
            let argument_1 = match <State<Db> as __twyla::BatchArgument>::take(&parts) {
                ::core::result::Result::Ok(argument) => argument,
                ::core::result::Result::Err(failure) => {
                    return __twyla::failed_batch(failure);
                }
            };
            let content = <UserInput as __twyla::Arrives<
                {
                    __twyla::IsEvent::<
                        UserInput,
                        ::twyla_runtime::event::EventKey<12812687169510636491u64>,
                    >::HOLDS
                },
            >>::contents(opened);
            __twyla::attempt_batch(
                len,
                book(content, argument_1),
                <Result<(), BatchFail> as __twyla::BatchOutcome>::outcome,
            )
        },
    };
    #[automatically_derived]
    impl __twyla::Listener for book {
        const EVENT: &'static str = "api.user_input";
        const GROUP: &'static str = "consumer";
        fn registration() -> __twyla::Registration {
            __twyla::Registration {
                event: <Self as __twyla::Listener>::EVENT,
                domain: "api",
                event_type: "user_input",
                group: <Self as __twyla::Listener>::GROUP,
                handler: TWYLA_HANDLER,
                record: __twyla::record!(
                    ["listens", < book as __twyla::Listener > ::EVENT, "consumer",
                    TWYLA_SCHEMAS.content.digest, TWYLA_SCHEMAS.context.digest,
                    TWYLA_HANDLER,], & [TWYLA_SCHEMAS.content, TWYLA_SCHEMAS.context]
                ),
                needs: ::std::vec::Vec::from_iter(
                    [<State<Db> as __twyla::BatchArgument>::need()].into_iter().flatten(),
                ),
                policy: __twyla::Policy {
                    batch: ::core::option::Option::Some(TWYLA_BATCHING),
                    ..::core::default::Default::default()
                },
                handle: |incoming| __twyla::alone(incoming, &TWYLA_BATCHING),
            }
        }
    }
};
