//! URI templates (RFC 6570).

/// Literals and expressions in braces.
pub(super) fn uri_template(text: &str) -> bool {
    let mut rest = text;
    loop {
        // nearly always to the brace or the end
        let plain = rest.bytes().position(|byte| !PLAIN[usize::from(byte)]).unwrap_or(rest.len());
        rest = rest.get(plain..).unwrap_or_default();
        let (literals, after) = match rest.strip_prefix('{') {
            Some(after) => ("", after),
            None => match rest.split_once('{') {
                Some(parts) => parts,
                None => return rest.is_empty() || all_literal(rest),
            },
        };
        let Some((inside, after)) = after.split_once('}') else { return false };
        if !(literals.is_empty() || all_literal(literals)) || !expression(inside) {
            return false;
        }
        rest = after;
    }
}

/// The bytes that are literals by themselves, whatever is beside them.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        table[byte as usize] = !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'%');
        byte += 1;
    }
    table
};

/// What may stand outside of braces; the apostrophe by erratum 6937.
fn all_literal(text: &str) -> bool {
    let forbidden = |c: char| {
        matches!(c, '\0'..=' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '\u{7F}'..='\u{9F}')
            || is_private_or_none(c)
    };
    !text.contains(forbidden) && percents(text.as_bytes())
}

/// Non-characters; `ucschar` and `iprivate` of RFC 3987 are all else.
fn is_private_or_none(c: char) -> bool {
    matches!(c, '\u{FDD0}'..='\u{FDEF}' | '\u{FFF0}'..='\u{FFFF}') || u32::from(c) & 0xFFFE == 0xFFFE
}

/// Whether each `%` has its two digits.
fn percents(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let Some([a, b, after @ ..]) = rest.get(at + 1..) else { return false };
        if !a.is_ascii_hexdigit() || !b.is_ascii_hexdigit() {
            return false;
        }
        rest = after;
    }
    true
}

/// An operator and variables.
fn expression(text: &str) -> bool {
    let operators = ['+', '#', '.', '/', ';', '?', '&', '=', ',', '!', '@', '|'];
    let variables = text.strip_prefix(operators).unwrap_or(text);
    variables.split(',').all(variable)
}

/// A name, and how much of the value is wanted.
fn variable(text: &str) -> bool {
    let name = if let Some((name, most)) = text.split_once(':') {
        let digits = most.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !(1..=4).contains(&most.len()) || most.starts_with('0') {
            return false;
        }
        name
    } else {
        text.strip_suffix('*').unwrap_or(text)
    };
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'%');
    let name = name.as_bytes();
    name.split(|byte| *byte == b'.').all(|part| !part.is_empty() && part.iter().copied().all(known)) && percents(name)
}
