fn list() {
    {
        const RPC_0: ::twyla_runtime::__private::calls::Entry = {
            #[allow(unused_imports)]
            use ::twyla_runtime::__private::calls::unserved::Function;
            {
                #[allow(unused_imports)]
                use get_booking as Function;
                <Function as ::twyla_runtime::__private::calls::Listed>::ENTRY
                    .named("get_booking")
            }
        };
        const RPC_1: ::twyla_runtime::__private::calls::Entry = {
            #[allow(unused_imports)]
            use ::twyla_runtime::__private::calls::unserved::Function;
            {
                #[allow(unused_imports)]
                use more::cancel as Function;
                <Function as ::twyla_runtime::__private::calls::Listed>::ENTRY
                    .named("more::cancel")
            }
        };
        const _: () = RPC_1.distinct(&[RPC_0]);
        ::twyla_runtime::Rpcs::collect(&[RPC_0, RPC_1])
    }
}
