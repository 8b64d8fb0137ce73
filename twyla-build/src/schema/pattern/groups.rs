//! The groups of a pattern: their names, their ends, and the references to them.

use super::cursor::Cursor;

/// Returns the name of each capture group, in order; `None` for a group without a name.
pub(super) fn group_names(pattern: &str) -> Vec<Option<String>> {
    let mut names = Vec::new();
    outside_of_classes(pattern, |rest| {
        let Some(inside) = rest.strip_prefix('(') else { return };
        match inside.strip_prefix('?') {
            None => names.push(None),
            Some(special) => {
                if let Some(named) = special.strip_prefix('<').filter(|named| !named.starts_with(['=', '!'])) {
                    names.push(named.split_once('>').and_then(|(written, _)| name(written)));
                }
            }
        }
    });
    names
}

/// Returns whether a pattern has a backreference.
pub(super) fn refers(pattern: &str) -> bool {
    let mut found = false;
    outside_of_classes(pattern, |rest| {
        found |= rest.strip_prefix('\\').is_some_and(|rest| rest.starts_with(|c| matches!(c, '1'..='9' | 'k')));
    });
    found
}

/// Calls `see` with the rest of a pattern at each character outside of classes.
pub(super) fn outside_of_classes(pattern: &str, mut see: impl FnMut(&str)) {
    let (mut in_class, mut escaped) = (false, false);
    for (at, c) in pattern.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        if !in_class {
            see(pattern.get(at..).unwrap_or_default());
        }
        match c {
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
    }
}

/// Returns the offset of the `)` that ends the group in which the text begins.
pub(crate) fn group_end(inside: &str) -> Option<usize> {
    let (mut depth, mut end) = (1_usize, None);
    outside_of_classes(inside, |rest| {
        depth = match rest.as_bytes().first() {
            Some(b'(') => depth + 1,
            Some(b')') => depth.saturating_sub(1),
            _ => depth,
        };
        if depth == 0 && end.is_none() {
            end = Some(inside.len() - rest.len());
        }
    });
    end
}

/// Returns whether a pattern has alternatives outside of groups.
pub(crate) fn has_alternatives(pattern: &str) -> bool {
    let (mut depth, mut found) = (0_usize, false);
    outside_of_classes(pattern, |rest| match rest.as_bytes().first() {
        Some(b'(') => depth += 1,
        Some(b')') => depth = depth.saturating_sub(1),
        Some(b'|') => found |= depth == 0,
        _ => {}
    });
    found
}

/// Decodes the name of a group, which may be written with `\u`.
pub(super) fn name(written: &str) -> Option<String> {
    let mut cursor = Cursor { rest: written };
    let mut name = String::new();
    while let Some(c) = cursor.next() {
        if c == '\\' {
            cursor.eat("u");
            name.push(char::from_u32(cursor.unicode()?)?);
        } else {
            name.push(c);
        }
    }
    Some(name)
}
