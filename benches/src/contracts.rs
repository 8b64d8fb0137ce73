//! The types that the build script has made of the schemas.

/// Twyla's, of the demo platform's schemas.
pub(crate) mod demo {
    include!(concat!(env!("OUT_DIR"), "/demo.rs"));
}

/// Twyla's, of this package's schemas.
pub(crate) mod events {
    include!(concat!(env!("OUT_DIR"), "/events.rs"));
}

/// typify's.
#[allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::pedantic, clippy::unwrap_used)]
pub(crate) mod typify {
    include!(concat!(env!("OUT_DIR"), "/typify.rs"));
}

/// What the macro of the `jsonschema` crate makes: a struct with `is_valid` for each schema.
#[allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::pedantic, clippy::unwrap_used)]
pub(crate) mod compiled {
    #[jsonschema::validator(
        path = "../schemas/events/api/user_input.json",
        validate_formats = true,
        methods = { validate = false, iter_errors = false }
    )]
    pub struct Chat;

    #[jsonschema::validator(
        path = "schemas/events/shop/order_placed.json",
        validate_formats = true,
        methods = { validate = false, iter_errors = false }
    )]
    pub struct Order;

    #[jsonschema::validator(
        path = "schemas/events/cloud/event.json",
        validate_formats = true,
        methods = { validate = false, iter_errors = false }
    )]
    pub struct CloudEvent;

    #[jsonschema::validator(
        path = "schemas/events/github/pull_request_opened.json",
        validate_formats = true,
        methods = { validate = false, iter_errors = false }
    )]
    pub struct PullRequest;
}
