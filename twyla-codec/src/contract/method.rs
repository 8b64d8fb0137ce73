//! The contract of an RPC: its name and the types of its messages.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use crate::contract::event::EventContext;
use crate::contract::record::{ContractRecord, Schema};
use crate::json::{Fault, Read, Reader, Write};
use crate::path::Path;
use crate::validate::Refusal;
use crate::validate::contract::{self, Validate};
use crate::validate::rules::Violations;

/// A message of an RPC, generated from its schema.
pub trait Body: Sized + Send + 'static {
    /// Decodes a JSON text and checks it against its contract.
    ///
    /// # Errors
    /// [`Refusal`] with each broken rule.
    fn decode(text: &[u8]) -> Result<Self, Refusal>;

    /// Appends the JSON text to `out`, checked against its contract. On an error `out` is unchanged.
    ///
    /// # Errors
    /// [`Refusal`] with each broken rule.
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Refusal>;
}

#[diagnostic::do_not_recommend]
impl<T: Read + Write + Validate + Send + 'static> Body for T {
    fn decode(text: &[u8]) -> Result<Self, Refusal> {
        contract::decode(text)
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Refusal> {
        contract::encode(self, out)
    }
}

/// An RPC: the type that is generated for `rpc/<service>/<method>`, `contracts::rpc::<service>::<Method>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an RPC",
    label = "not an RPC",
    note = "each folder `rpc/<service>/<method>` of the schemas becomes a type: `contracts::rpc::<service>::<Method>`"
)]
pub trait Method: Sized + Send + 'static {
    /// The RPC's name, `service.method`.
    const NAME: &'static str;
    /// The part of the name before the first dot: the service that serves the RPC.
    const SERVICE: &'static str;
    /// The part of the name after the first dot: the last segment of the URL's path.
    const METHOD: &'static str;
    /// Whether repeating a call has no further effect, as `idempotent` in the request's schema says.
    const IDEMPOTENT: bool;
    /// The request's schema, for example `schemas/rpc/navitaire-api/get_booking/request.json:1`.
    const REQUEST: &'static str;
    /// The response's schema.
    const RESPONSE: &'static str;
    /// The compiled schemas of the RPC's messages.
    #[doc(hidden)]
    const CARRIED: &'static [&'static Schema];
    /// The contract record of a program that calls the RPC.
    #[doc(hidden)]
    const CALLS: &'static ContractRecord;
    /// The contract record of a program that serves the RPC.
    #[doc(hidden)]
    const SERVES: &'static ContractRecord;
    /// The type of requests.
    type Request: Body;
    /// The type of responses.
    type Response: Body;
    /// The type of errors; [`NoError`] if the RPC has no `error.json`.
    type Error: DomainError;
    /// The type of the context.
    type Context: EventContext;
}

/// An error of an RPC's contract: `error.json`.
pub trait DomainError: Body + Error + Clone + Sync {}

#[diagnostic::do_not_recommend]
impl<T: Body + Error + Clone + Sync> DomainError for T {}

/// The error type of an RPC without `error.json`; it has no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoError(Infallible);

impl fmt::Display for NoError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl Error for NoError {}

impl Read for NoError {
    fn read(_: &mut Reader<'_>) -> Result<Self, Fault> {
        Err(Fault::new("error", "the RPC has no contract for errors".to_owned()))
    }
}

impl Write for NoError {
    fn write(&self, _: &mut Vec<u8>) {
        match self.0 {}
    }
}

impl Validate for NoError {
    fn validate(&self, _: &Path<'_>, _: &mut Violations) {
        match self.0 {}
    }
}

/// An RPC's name as a type: its 64-bit FNV-1a hash (`twyla_contract::RpcName::key`).
#[doc(hidden)]
pub struct RpcKey<const HASH: u64>;

/// The request type of an RPC. One type may belong to several RPCs.
#[doc(hidden)]
pub trait Requests<K>: Body {
    /// The RPC whose key is `K`.
    type Method: Method<Request = Self>;
}

/// The response type of an RPC. One type may belong to several RPCs.
#[doc(hidden)]
pub trait Responds<K>: Body {
    /// The RPC whose key is `K`.
    type Method: Method<Response = Self>;
}

/// Formats an error as its JSON text.
///
/// # Errors
/// The formatter's error.
#[doc(hidden)]
pub fn show_error<T: Write>(value: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = Vec::new();
    value.write(&mut text);
    f.write_str(&String::from_utf8_lossy(&text))
}

/// Implements the traits of an RPC for its generated types.
#[doc(hidden)]
#[macro_export]
macro_rules! __rpc_contract {
    (
        $rpc:ident, $name:literal, $service:literal, $method:literal, $key:literal, idempotent $idempotent:literal,
        $context:path, $calls:literal, $serves:literal,
        request $request:path = $request_schema:literal carried $request_begins:literal $request_form:literal,
        response $response:path = $response_schema:literal carried $response_begins:literal $response_form:literal
        $(, error $error:path = $error_schema:literal carried $error_begins:literal $error_form:literal)?
    ) => {
        #[diagnostic::do_not_recommend]
        impl $crate::rpc::Method for $rpc {
            const NAME: &'static str = $name;
            const SERVICE: &'static str = $service;
            const METHOD: &'static str = $method;
            const IDEMPOTENT: bool = $idempotent;
            const REQUEST: &'static str = $request_schema;
            const RESPONSE: &'static str = $response_schema;
            const CARRIED: &'static [&'static $crate::__private::record::Schema] = {
                use $crate::__private::record::Schema;
                static REQUEST: Schema = Schema { digest: "", record: concat!($request_begins, $request_form), sensitive: &[] };
                static RESPONSE: Schema = Schema { digest: "", record: concat!($response_begins, $response_form), sensitive: &[] };
                $(static ERROR: Schema = Schema { digest: "", record: concat!($error_begins, $error_form), sensitive: &[] };)?
                let context = <$context as $crate::event::EventContext>::COMPILED;
                &[&REQUEST, &RESPONSE, context $(, $crate::__rpc_contract!(carried ERROR $error))?]
            };
            const CALLS: &'static $crate::__private::record::ContractRecord =
                &$crate::__private::record::ContractRecord::new($calls, <Self as $crate::rpc::Method>::CARRIED);
            const SERVES: &'static $crate::__private::record::ContractRecord =
                &$crate::__private::record::ContractRecord::new($serves, <Self as $crate::rpc::Method>::CARRIED);
            type Request = $request;
            type Response = $response;
            type Error = $crate::__rpc_contract!(error $($error)?);
            type Context = $context;
        }
        impl $crate::__private::Requests<$crate::__private::RpcKey<$key>> for $request {
            type Method = $rpc;
        }
        impl $crate::__private::Responds<$crate::__private::RpcKey<$key>> for $response {
            type Method = $rpc;
        }
    };
    (carried $carried:ident $error:path) => { &$carried };
    (error) => { $crate::rpc::NoError };
    (error $error:path) => { $error };
}

/// Implements `std::error::Error` for the error type of an RPC.
#[doc(hidden)]
#[macro_export]
macro_rules! __rpc_error {
    ($error:ident) => {
        impl ::std::fmt::Display for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                // `Display` ends up in logs, so a type with sensitive values uses `Debug`, which hides them
                if <Self as $crate::__private::Validate>::SENSITIVE.is_empty() {
                    $crate::__private::show_error(self, f)
                } else {
                    ::std::fmt::Debug::fmt(self, f)
                }
            }
        }
        impl ::std::error::Error for $error {}
    };
}
