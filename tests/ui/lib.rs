//! The tests are in `ui.rs`, `pass.rs` and `fits.rs`; see the README. The examples in the macros' documentation and in the
//! repository's README run here too, because this package has contracts.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../twyla-runtime/docs/event.md")]
pub struct Event;

#[cfg(doctest)]
#[doc = include_str!("../../twyla-runtime/docs/listener.md")]
pub struct Listener;

#[cfg(doctest)]
#[doc = include_str!("../../twyla-runtime/docs/listeners.md")]
pub struct Listeners;

#[cfg(doctest)]
#[doc = include_str!("../../twyla-runtime/docs/rpc_handler.md")]
pub struct RpcHandler;

#[cfg(doctest)]
#[doc = include_str!("../../twyla-runtime/docs/rpcs.md")]
pub struct Rpcs;
