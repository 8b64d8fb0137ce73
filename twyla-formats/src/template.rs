//! URI templates (RFC 6570).

/// Checks a template of literals and expressions in braces.
pub(crate) fn uri_template(text: &str) -> bool {
    let mut rest = text.as_bytes();
    loop {
        while let Some((eight, after)) = rest.split_first_chunk::<8>()
            && eight.iter().all(|byte| PLAIN[usize::from(*byte)])
        {
            rest = after;
        }
        while let [byte, after @ ..] = rest
            && PLAIN[usize::from(*byte)]
        {
            rest = after;
        }
        // the fast paths: the end, or a single variable
        match rest {
            [] => return true,
            [b'{', inside @ ..] => match simple(inside) {
                Some(after) => rest = after,
                None => break,
            },
            _ => break,
        }
    }
    text.get(text.len() - rest.len()..).is_some_and(any)
}

/// Matches a variable, with an optional operator, and the closing brace; returns the rest.
#[inline]
fn simple(inside: &[u8]) -> Option<&[u8]> {
    let inside = if let [b'/' | b'+' | b'?' | b'#' | b'.' | b'&' | b';', after @ ..] = inside { after } else { inside };
    let end = inside.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'))?;
    inside.get(end..)?.strip_prefix(b"}").filter(|_| end > 0)
}

/// Checks any template, without a fast path.
fn any(text: &str) -> bool {
    let mut rest = text;
    while let Some((literals, after)) = rest.split_once('{') {
        let Some((inside, after)) = after.split_once('}') else { return false };
        if !all_literal(literals) || !expression(inside) {
            return false;
        }
        rest = after;
    }
    all_literal(rest)
}

/// The bytes that are literals in any context.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        table[byte as usize] = !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'%');
        byte += 1;
    }
    table
};

/// Checks the text outside of braces; the apostrophe is allowed by erratum 6937.
fn all_literal(text: &str) -> bool {
    let forbidden = |c: char| {
        matches!(c, '\0'..=' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '\u{7F}'..='\u{9F}')
            || is_private_or_none(c)
    };
    !text.contains(forbidden) && percents(text.as_bytes())
}

/// Returns whether a character is a noncharacter. `ucschar` and `iprivate` of RFC 3987 have all others.
fn is_private_or_none(c: char) -> bool {
    matches!(c, '\u{FDD0}'..='\u{FDEF}' | '\u{FFF0}'..='\u{FFFF}') || u32::from(c) & 0xFFFE == 0xFFFE
}

/// Checks that each `%` is followed by two hexadecimal digits.
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

/// Checks an optional operator and a list of variables.
fn expression(text: &str) -> bool {
    let operators = ['+', '#', '.', '/', ';', '?', '&', '=', ',', '!', '@', '|'];
    let variables = text.strip_prefix(operators).unwrap_or(text);
    variables.split(',').all(variable)
}

/// Checks a variable's name and modifier.
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
