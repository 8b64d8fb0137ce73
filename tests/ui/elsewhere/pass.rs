//! The program without a mistake, on a contracts crate.

#![allow(dead_code, clippy::all, reason = "the program has handlers and structs of every shape")]

use ::contracts;

include!("../pass/everything.rs");

/// The path of the contracts in every form.
mod paths {
    pub(crate) mod kit {
        pub(crate) use ::contracts as platform;
        pub(crate) mod r#type {
            pub(crate) use ::contracts as r#mod;
        }
    }

    mod imported {
        use super::kit::platform::{self};
        use platform::{rpc::desk, shared::Note};
        use twyla_runtime::{event, listener, rpc};

        #[event("api.user_input", contracts = platform)]
        struct Greeting {
            emission: String,
        }

        #[listener("api.user_input", group = "imported", contracts = self::platform)]
        async fn greet(_: Greeting) {}

        #[rpc("desk.find", contracts = platform)]
        async fn find(_: desk::FindRequest) -> Result<Note, String> {
            Err(String::new())
        }
    }

    mod globs {
        use super::kit::r#type::*;
        use super::kit::*;
        use twyla_runtime::{event, listener};

        #[event("api.user_input", contracts = r#mod)]
        struct Greeting {
            emission: String,
        }

        #[listener("api.user_input", group = "globs", contracts = r#type::r#mod)]
        async fn greet(_: Greeting) {}

        mod deeper {
            use super::super::super::{event, listener};

            #[event("api.user_input", contracts = super::super::kit::platform)]
            struct Greeting {
                emission: String,
            }

            #[listener("api.user_input", group = "deeper", contracts = ::contracts)]
            async fn greet(_: Greeting) {}
        }
    }

    macro_rules! greeting {
        ($name:ident, $handler:ident, $($path:tt)+) => {
            #[twyla_runtime::event("api.user_input", contracts = $($path)+)]
            struct $name {
                emission: String,
            }

            #[twyla_runtime::listener("api.user_input", group = "made", contracts = $crate::paths::kit::platform)]
            async fn $handler(_: $name) {}
        };
    }

    mod made {
        greeting!(Greeting, greet, super::kit::r#type::r#mod);
        greeting!(Other, other, crate::contracts);
    }

    fn within() -> twyla_runtime::Listeners {
        use ::contracts as local;
        use twyla_runtime::{event, listener, listeners};

        #[event("api.user_input", contracts = local)]
        struct Greeting {
            emission: String,
        }

        #[listener("api.user_input", group = "within", contracts = local)]
        async fn greet_within(_: Greeting) {}

        listeners![greet_within]
    }
}
