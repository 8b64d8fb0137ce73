//! Serialization into a reused buffer, so that each text is copied to an allocation of its exact size.

use std::cell::Cell;

use bytes::Bytes;

thread_local! {
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A longer text keeps its buffer, which is then not reused.
const LONG: usize = 16 << 10;

/// Returns the text that `write` appends, with its result.
///
/// # Errors
/// Those of `write`.
pub(crate) fn written<T, E>(write: impl FnOnce(&mut Vec<u8>) -> Result<T, E>) -> Result<(Bytes, T), E> {
    // a nested call finds no buffer and allocates its own
    let mut text = ROOM.try_with(Cell::take).unwrap_or_default();
    text.clear();
    let outcome = write(&mut text);
    if text.len() > LONG {
        return outcome.map(|of| (text.into(), of));
    }
    let outcome = outcome.map(|of| (Bytes::copy_from_slice(&text), of));
    if text.capacity() <= 2 * LONG {
        // fails in a thread that ends
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
        // the text of a failed call doesn't leak into the next one
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
