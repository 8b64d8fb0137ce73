//! Texts that are sent: written where there is room already, so that each takes no more memory than it has bytes.

use std::cell::Cell;

use bytes::Bytes;

thread_local! {
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A longer text keeps the memory that it was written into, and none is kept of it.
const LONG: usize = 16 << 10;

/// The text that is written, and what comes of it.
///
/// # Errors
/// Those of the writing.
pub(crate) fn written<T, E>(write: impl FnOnce(&mut Vec<u8>) -> Result<T, E>) -> Result<(Bytes, T), E> {
    // whoever writes may have others write, who find no room and make their own
    let mut text = ROOM.try_with(Cell::take).unwrap_or_default();
    text.clear();
    let outcome = write(&mut text);
    if text.len() > LONG {
        return outcome.map(|of| (text.into(), of));
    }
    let outcome = outcome.map(|of| (Bytes::copy_from_slice(&text), of));
    if text.capacity() <= 2 * LONG {
        // a thread that ends has no use for it
        let _ = ROOM.try_with(|room| room.set(text));
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn text(text: &[u8]) -> Bytes {
        let Ok((written, ())) = written(|out| {
            out.extend_from_slice(text);
            Ok::<_, Infallible>(())
        });
        written
    }

    #[test]
    fn each_text_is_its_own() {
        let long = vec![b'x'; 3 * LONG];
        let (a, b, c, d) = (text(b"a"), text(&long), text(b"bc"), text(b""));
        assert_eq!((&a[..], &b[..], &c[..], &d[..]), (&b"a"[..], &long[..], &b"bc"[..], &b""[..]));
        let within = written(|out| {
            out.push(b'1');
            let inner = text(b"2");
            out.push(b'3');
            Ok::<_, Infallible>(inner)
        });
        assert_eq!(within, Ok(("13".into(), "2".into())));
        // and what was written of one that has failed is in none
        assert_eq!(
            written(|out| {
                out.push(b'x');
                Err::<(), _>(5)
            }),
            Err(5)
        );
        assert_eq!(text(b"y"), "y");
    }
}
