//! Shared by the RPC tests: a service with scripted handlers, and both links to it.

pub mod contracts {
    twyla_runtime::include_contracts!();
}
pub mod child;
pub mod desk;
pub mod raw;

use std::future::Future;
use std::time::Duration;

use twyla_runtime::rpc::{Config, Serve};
use twyla_runtime::{Bus, Rpc, Running};

pub use contracts::Context;
pub use desk::{Call, Script, rpcs};

/// Bounds a test that hangs; a passing test never waits this long.
pub async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("the test hangs")
}

/// The context of all test calls.
pub fn context() -> Context {
    Context::new("test")
}

/// The link between callers and services: HTTP or memory.
#[derive(Clone)]
pub enum Link {
    Memory(Rpc),
    Http,
}

impl Link {
    /// Starts a service with this script and configuration, and a caller.
    pub async fn start(&self, script: Script, bounds: impl FnOnce(Serve) -> Serve) -> (Running, Rpc) {
        let service = Bus::in_memory().service().state(script).rpcs(rpcs());
        match self {
            Self::Memory(rpc) => {
                let running = service.rpc(rpc.clone()).serve(bounds(Serve::mounted())).start().await.unwrap();
                (running, rpc.clone())
            }
            Self::Http => {
                let running = service.serve(bounds(Serve::on("127.0.0.1:0"))).start().await.unwrap();
                let rpc = caller(&running);
                (running, rpc)
            }
        }
    }
}

/// A caller of a running service over HTTP.
pub fn caller(running: &Running) -> Rpc {
    Rpc::new(config(running)).unwrap()
}

/// The configuration of a caller of a running service over HTTP.
pub fn config(running: &Running) -> Config {
    let address = running.address().expect("it is served over HTTP");
    Config::new().address("desk", [format!("http://{address}")])
}

/// Defines the named tests twice: in memory and over HTTP.
#[macro_export]
macro_rules! both_links {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() {
                $crate::within(super::$test($crate::Link::Memory(twyla_runtime::Rpc::in_memory()))).await;
            })*
        }
        mod http {
            $(#[tokio::test]
            async fn $test() {
                $crate::within(super::$test($crate::Link::Http)).await;
            })*
        }
    };
}
