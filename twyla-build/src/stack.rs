//! A large stack for reading and comparing schemas, which may lead to one another through thousands of references. It doesn't
//! depend on the stack of the calling thread.

/// Virtual memory: unused parts cost nothing.
const SIZE: usize = if cfg!(target_pointer_width = "64") { 1 << 30 } else { 64 << 20 };

/// Runs the work on a stack that is large enough for every limit of this crate.
///
/// # Errors
/// Fails if no thread can be started.
pub(crate) fn large<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("twyla-build".to_owned()).stack_size(SIZE);
        let thread = thread.spawn_scoped(scope, work)?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
