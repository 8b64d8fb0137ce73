//! A handler function that can serve an RPC.

use syn::{Ident, Type, Visibility};
use twyla_contract::RpcName;

use crate::catalogue::Text;
use crate::runtime::Runtime;

/// A handler.
pub(super) struct Handler {
    pub(super) runtime: Runtime,
    pub(super) vis: Visibility,
    pub(super) name: Ident,
    pub(super) rpc: NamedRpc,
    /// The type of the first argument.
    pub(super) request: Type,
    /// The types of the other arguments.
    pub(super) arguments: Vec<Type>,
    pub(super) output: Type,
    pub(super) policy: Policy,
}

/// The RPC that the attribute names.
pub(super) struct NamedRpc {
    pub(super) name: RpcName,
    /// The name of the generated type that represents the RPC.
    pub(super) rust_name: String,
    /// The error if the first argument isn't the RPC's request.
    pub(super) other_request: Text,
    /// The error if the handler doesn't return the RPC's response.
    pub(super) other_answer: Text,
}

/// The settings in the attribute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Policy {
    pub(super) idempotent: bool,
    pub(super) concurrency: Option<u16>,
    /// The deadline in milliseconds.
    pub(super) deadline: Option<u64>,
}
