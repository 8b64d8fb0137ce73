::core::compile_error! {
    "handler `answer` is not `async`\n\nhelp: write `async fn answer`"
}
fn answer(_: UserInput) {}
#[doc(hidden)]
#[allow(non_camel_case_types)]
struct answer {}
#[allow(unused_lifetimes)]
const _: () = {
    impl ::twyla_runtime::__private::stand_in::Listener for answer {
        const EVENT: &'static str = "";
        const GROUP: &'static str = ::core::concat!(
            ::core::line!(), ":", ::core::column!(), ::core::stringify!(answer)
        );
        fn registration() -> ::twyla_runtime::__private::Registration {
            ::core::unreachable!()
        }
    }
};
