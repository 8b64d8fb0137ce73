pub(crate) async fn get_booking(
    request: GetBookingRequest,
    context: Context,
    State(db): State<Db>,
) -> Result<Booking, Error> {
    Err(Error)
}
#[doc(hidden)]
#[allow(non_camel_case_types)]
pub(crate) struct get_booking {}
#[allow(unused_lifetimes)]
const _: () = {
    use ::twyla_runtime::__private as __twyla;
    #[allow(unused_imports)]
    use __twyla::Otherwise as _;
    #[diagnostic::on_unimplemented(
        message = "handler `get_booking` serves `navitaire-api.get_booking`, but its first argument is `{Self}`",
        label = "not the request of `navitaire-api.get_booking`",
        note = "the request of `navitaire-api.get_booking` is declared in schemas/rpc/navitaire-api/get_booking/request.json:1",
        note = "take `contracts::rpc::navitaire_api::GetBookingRequest`"
    )]
    trait RequestOfGetBooking {
        const MATCHES: () = ();
    }
    #[diagnostic::do_not_recommend]
    impl<
        T: __twyla::Requests<__twyla::RpcKey<10514621541228781259u64>>,
    > RequestOfGetBooking for T {}
    const _: () = <GetBookingRequest as RequestOfGetBooking>::MATCHES;
    #[diagnostic::on_unimplemented(
        message = "handler `get_booking` serves `navitaire-api.get_booking`, but it returns `{Self}`",
        label = "not a response of `navitaire-api.get_booking`",
        note = "the response of `navitaire-api.get_booking` is declared in schemas/rpc/navitaire-api/get_booking/response.json:1",
        note = "return `Result<contracts::shared::Booking, E>`",
        note = "`E` is `contracts::rpc::navitaire_api::GetBookingError`, or any error type, `String`, or `Box<dyn Error + Send + Sync>`; here it is `Error`"
    )]
    trait AnswerOfGetBooking: ::core::marker::Sized {
        fn answer(self) -> __twyla::Answer;
    }
    #[diagnostic::do_not_recommend]
    impl<T, E> AnswerOfGetBooking for ::core::result::Result<T, E>
    where
        T: __twyla::Responds<__twyla::RpcKey<10514621541228781259u64>>,
        E: ::core::convert::Into<
            ::std::boxed::Box<
                dyn ::std::error::Error + ::core::marker::Send + ::core::marker::Sync,
            >,
        >,
    {
        fn answer(self) -> __twyla::Answer {
            __twyla::calls::answer::<
                <T as __twyla::Responds<
                    __twyla::RpcKey<10514621541228781259u64>,
                >>::Method,
                E,
            >(self)
        }
    }
    #[automatically_derived]
    impl __twyla::calls::Handler for get_booking {
        const NAME: &'static str = "navitaire-api.get_booking";
        const METHOD: &'static str = "get_booking";
        fn registration() -> __twyla::calls::Registration {
            __twyla::calls::Registration {
                name: <Self as __twyla::calls::Handler>::NAME,
                method: <Self as __twyla::calls::Handler>::METHOD,
                handler: ::core::concat!(
                    ::core::module_path!(), "::", ::core::stringify!(get_booking)
                ),
                record: __twyla::calls::IsRequest::<
                    GetBookingRequest,
                    __twyla::RpcKey<10514621541228781259u64>,
                >::SERVES,
                needs: ::std::vec::Vec::from_iter(
                    [
                        <Context as __twyla::CallArgument>::need(),
                        <State<Db> as __twyla::CallArgument>::need(),
                    ]
                        .into_iter()
                        .flatten(),
                ),
                policy: __twyla::calls::Policy {
                    concurrency: ::core::option::Option::Some(10u16),
                    deadline: ::core::option::Option::Some(
                        ::core::time::Duration::from_millis(2000u64),
                    ),
                    idempotent: true,
                    ..::core::default::Default::default()
                },
                handle: |incoming| {
                    let (request, parts) = match <GetBookingRequest as __twyla::calls::Asks<
                        __twyla::RpcKey<10514621541228781259u64>,
                        {
                            __twyla::calls::IsRequest::<
                                GetBookingRequest,
                                __twyla::RpcKey<10514621541228781259u64>,
                            >::HOLDS
                        },
                    >>::open(incoming) {
                        ::core::result::Result::Ok(opened) => opened,
                        ::core::result::Result::Err(answer) => {
                            return __twyla::calls::answered(answer);
                        }
                    };
                    let argument_1 = match <Context as __twyla::CallArgument>::take(
                        &parts,
                    ) {
                        ::core::result::Result::Ok(argument) => argument,
                        ::core::result::Result::Err(answer) => {
                            return __twyla::calls::answered(answer);
                        }
                    };
                    let argument_2 = match <State<
                        Db,
                    > as __twyla::CallArgument>::take(&parts) {
                        ::core::result::Result::Ok(argument) => argument,
                        ::core::result::Result::Err(answer) => {
                            return __twyla::calls::answered(answer);
                        }
                    };
                    __twyla::calls::serve(
                        get_booking(request, argument_1, argument_2),
                        <Result<Booking, Error> as AnswerOfGetBooking>::answer,
                    )
                },
            }
        }
    }
};
