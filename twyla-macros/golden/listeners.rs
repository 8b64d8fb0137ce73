fn list() {
    {
        const LISTENER_0: ::twyla_runtime::__private::Entry = {
            #[allow(unused_imports)]
            use ::twyla_runtime::__private::unlisted::Function;
            {
                #[allow(unused_imports)]
                use answer as Function;
                <Function as ::twyla_runtime::__private::Listed>::ENTRY.named("answer")
            }
        };
        const LISTENER_1: ::twyla_runtime::__private::Entry = {
            #[allow(unused_imports)]
            use ::twyla_runtime::__private::unlisted::Function;
            {
                #[allow(unused_imports)]
                use more::shout as Function;
                <Function as ::twyla_runtime::__private::Listed>::ENTRY
                    .named("more::shout")
            }
        };
        const _: () = LISTENER_1.distinct(&[LISTENER_0]);
        ::twyla_runtime::Listeners::collect(&[LISTENER_0, LISTENER_1])
    }
}
