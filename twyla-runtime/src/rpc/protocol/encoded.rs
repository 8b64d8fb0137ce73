//! The JSON text of a message.

use bytes::Bytes;
use twyla_codec::validate::Refusal;

/// Returns the text that `encode` appends.
pub(crate) fn encoded(encode: impl FnOnce(&mut Vec<u8>) -> Result<(), Refusal>) -> Result<Bytes, Refusal> {
    let mut text = Vec::with_capacity(128);
    encode(&mut text)?;
    Ok(text.into())
}
