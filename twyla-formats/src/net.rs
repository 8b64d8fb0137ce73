//! IPv4 and IPv6 addresses, and UUIDs.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Parses a `dotted-quad` of RFC 2673: four numbers up to 255, without leading zeros.
#[inline]
pub fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut bytes = [0; 4];
    let mut rest = text;
    for (index, byte) in bytes.iter_mut().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let digits = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        let (number, after) = rest.split_at_checked(digits)?;
        if number.len() != 1 && number.first() == Some(&b'0') {
            return None;
        }
        let number = number.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        (*byte, rest) = (u8::try_from(number).ok().filter(|_| digits > 0)?, after);
    }
    rest.is_empty().then(|| bytes.into())
}

/// Parses an address by RFC 4291, section 2.2, without a zone.
#[inline]
pub fn ipv6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok()
}

/// Parses the text form of RFC 9562: 8-4-4-4-12 hexadecimal digits.
#[inline]
pub fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    let mut out = [0; 16];
    let mut wrong = 0;
    // the offsets of each byte's digits; errors are accumulated and checked once, since nearly all UUIDs are valid
    const STARTS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    for (byte, start) in out.iter_mut().zip(STARTS) {
        let (high, low) = (HEX[text[start] as usize], HEX[text[start + 1] as usize]);
        wrong |= high | low;
        *byte = (high << 4) | (low & 0xF);
    }
    (wrong < 16 && text[8] == b'-' && text[13] == b'-' && text[18] == b'-' && text[23] == b'-').then_some(out)
}

/// The value of each byte as a hexadecimal digit; above 15 if it isn't one.
const HEX: [u8; 256] = {
    let mut table = [0xFF; 256];
    let mut digit = 0;
    while digit < 10 {
        table[b'0' as usize + digit] = digit as u8;
        digit += 1;
    }
    let mut digit = 0;
    while digit < 6 {
        table[b'a' as usize + digit] = 10 + digit as u8;
        table[b'A' as usize + digit] = 10 + digit as u8;
        digit += 1;
    }
    table
};
