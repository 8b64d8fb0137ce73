//! A large stack for reading and comparing schemas, which may form chains of thousands of references. Its size doesn't
//! depend on the calling thread.

use std::cell::Cell;
use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder, ScopedJoinHandle};

/// The size of a large stack in bytes. It is virtual memory: unused parts cost nothing.
const SIZE: usize = if cfg!(target_pointer_width = "64") { 1 << 30 } else { 64 << 20 };

thread_local! {
    /// Whether this thread has a large stack.
    static LARGE: Cell<bool> = const { Cell::new(false) };
}

/// Runs the work on a stack that is large enough for every limit of this crate: on this thread if its stack is large, else
/// on a new thread.
///
/// # Errors
/// Fails if no thread can be started.
pub(crate) fn large<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    if LARGE.get() {
        return Ok(work());
    }
    thread::scope(|scope| {
        let work = || {
            LARGE.set(true);
            work()
        };
        Ok(joined(builder().spawn_scoped(scope, work)?))
    })
}

/// Runs the work for each item, on all cores and on large stacks. The results are in the order of the items.
///
/// # Errors
/// Fails if no thread can be started.
pub(crate) fn each<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> io::Result<Vec<T>> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    if cores < 2 {
        return if items.is_empty() { Ok(Vec::new()) } else { large(|| items.iter().map(&work).collect()) };
    }
    let next = AtomicUsize::new(0);
    let some = || {
        LARGE.set(true);
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(item)));
        }
    };
    thread::scope(|scope| {
        let (mut threads, mut failed) = (Vec::new(), None);
        for _ in 0..cores {
            match builder().spawn_scoped(scope, some) {
                Ok(thread) => threads.push(thread),
                Err(error) => failed = Some(error),
            }
        }
        // if some threads can't be started, the others do all the work
        if let Some(error) = failed.filter(|_| threads.is_empty()) {
            return Err(error);
        }
        let mut done: Vec<(usize, T)> = threads.into_iter().flat_map(joined).collect();
        done.sort_by_key(|(index, _)| *index);
        Ok(done.into_iter().map(|(_, result)| result).collect())
    })
}

fn builder() -> Builder {
    Builder::new().name("twyla-build".to_owned()).stack_size(SIZE)
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1_000).collect();
        let squares = each(&items, |item| item * item).unwrap();
        assert_eq!(squares, items.iter().map(|item| item * item).collect::<Vec<_>>());
        assert!(each(&[0_u8; 0], |_| ()).unwrap().is_empty());
    }

    #[test]
    fn work_on_a_large_stack_stays_on_its_thread() {
        let same = large(|| {
            let outer = thread::current().id();
            large(|| thread::current().id()).unwrap() == outer
        });
        assert!(same.unwrap());
        assert!(!LARGE.get());
    }
}
