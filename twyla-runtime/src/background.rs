//! A runtime on a thread of its own, for tasks that must run while handlers block every thread of the service's runtime.

use std::future::Future;
use std::io;
use std::sync::OnceLock;
use std::thread;

use tokio::runtime::{Builder, Handle};

/// Returns the handle of the background runtime, or of the caller's runtime if its thread can't be started.
pub(crate) fn handle() -> Handle {
    static HANDLE: OnceLock<Option<Handle>> = OnceLock::new();
    let beside = HANDLE.get_or_init(|| match start() {
        Ok(handle) => Some(handle),
        Err(error) => {
            tracing::warn!(%error, "can't start a thread for heartbeats: the connection may be lost while a handler blocks its thread");
            None
        }
    });
    beside.clone().unwrap_or_else(Handle::current)
}

/// Spawns a task on the background runtime.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    handle().spawn(task);
}

fn start() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("twyla-beside".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
}
