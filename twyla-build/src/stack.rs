//! The stack on which schemas are read and compared: they may lead to one another through thousands of references, whatever
//! thread this is.

/// What is not used of it costs nothing.
const SIZE: usize = if cfg!(target_pointer_width = "64") { 1 << 30 } else { 64 << 20 };

/// Does the work on a stack that is large enough for every limit of this crate.
///
/// # Errors
/// Where no thread can be started.
pub(crate) fn large<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("twyla-build".to_owned()).stack_size(SIZE);
        let thread = thread.spawn_scoped(scope, work)?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
