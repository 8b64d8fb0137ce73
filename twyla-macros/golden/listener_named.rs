pub(crate) async fn answer(
    input: UserInput,
    State(db): State<Db>,
    mut meta: Meta,
) -> Result<(), Error> {
    Ok(())
}
#[doc(hidden)]
#[allow(non_camel_case_types)]
pub(crate) struct answer {}
#[allow(unused_lifetimes)]
const _: () = {
    use ::twyla_runtime::__private as __twyla;
    #[allow(unused_imports)]
    use __twyla::Otherwise as _;
    #[diagnostic::on_unimplemented(
        message = "handler `answer` listens to `api.user_input`, but its first argument is `{Self}`",
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
        ::core::module_path!(), "::", ::core::stringify!(answer)
    );
    const TWYLA_SCHEMAS: __twyla::record::Schemas = __twyla::IsEvent::<
        UserInput,
        ::twyla_runtime::event::EventKey<12812687169510636491u64>,
    >::SCHEMAS;
    #[automatically_derived]
    impl __twyla::Listener for answer {
        const EVENT: &'static str = "api.user_input";
        const GROUP: &'static str = "bots";
        fn registration() -> __twyla::Registration {
            __twyla::Registration {
                event: <Self as __twyla::Listener>::EVENT,
                domain: "api",
                event_type: "user_input",
                group: <Self as __twyla::Listener>::GROUP,
                handler: TWYLA_HANDLER,
                record: __twyla::record!(
                    ["listens", < answer as __twyla::Listener > ::EVENT, "bots",
                    TWYLA_SCHEMAS.content.digest, TWYLA_SCHEMAS.context.digest,
                    TWYLA_HANDLER,], & [TWYLA_SCHEMAS.content, TWYLA_SCHEMAS.context]
                ),
                needs: ::std::vec::Vec::from_iter(
                    [
                        <State<Db> as __twyla::Argument>::need(),
                        <Meta as __twyla::Argument>::need(),
                    ]
                        .into_iter()
                        .flatten(),
                ),
                policy: ::core::default::Default::default(),
                handle: |incoming| {
                    let (content, parts) = match <UserInput as __twyla::Arrives<
                        {
                            __twyla::IsEvent::<
                                UserInput,
                                ::twyla_runtime::event::EventKey<12812687169510636491u64>,
                            >::HOLDS
                        },
                    >>::open(incoming) {
                        ::core::result::Result::Ok(opened) => opened,
                        ::core::result::Result::Err(failure) => {
                            return __twyla::failed(failure);
                        }
                    };
                    let argument_1 = match <State<
                        Db,
                    > as __twyla::Argument>::take(&parts) {
                        ::core::result::Result::Ok(argument) => argument,
                        ::core::result::Result::Err(failure) => {
                            return __twyla::failed(failure);
                        }
                    };
                    let argument_2 = match <Meta as __twyla::Argument>::take(&parts) {
                        ::core::result::Result::Ok(argument) => argument,
                        ::core::result::Result::Err(failure) => {
                            return __twyla::failed(failure);
                        }
                    };
                    __twyla::attempt(
                        answer(content, argument_1, argument_2),
                        <Result<(), Error> as __twyla::Outcome>::outcome,
                    )
                },
            }
        }
    }
};
