::core::compile_error! {
    "`schemas` declares no RPC `navitaire-api.get_bookin`\n\nhelp: did you mean `navitaire-api.get_booking`, declared in schemas/rpc/navitaire-api/get_booking/request.json:1?"
}
#[allow(unused_variables)]
async fn get_booking() {
    ::core::unreachable!()
}
#[doc(hidden)]
#[allow(non_camel_case_types)]
struct get_booking {}
#[allow(unused_lifetimes)]
const _: () = {
    impl ::twyla_runtime::__private::stand_in::Handler for get_booking {
        const NAME: &'static str = "";
        const METHOD: &'static str = ::core::concat!(
            ::core::line!(), ":", ::core::column!(), ::core::stringify!(get_booking)
        );
        fn registration() -> ::twyla_runtime::__private::calls::Registration {
            ::core::unreachable!()
        }
    }
};
