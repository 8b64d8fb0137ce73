//! Matches names against patterns, in which `*` stands for any text.

/// Returns whether a name matches a pattern. The time is at most proportional to the product of their lengths.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_matches_any_characters() {
        for (pattern, name) in [
            ("api.*", "api.user_input"),
            ("*", "api.user_input"),
            ("*.created", "shop.created"),
            ("api.*_in*", "api.user_input"),
            ("bot.reply", "bot.reply"),
            ("bot.reply*", "bot.reply"),
            ("a*a.a", "aa.a"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("api", "api.user_input"),
            ("api.", "api.user_input"),
            ("", "api.user_input"),
            ("bot.reply", "bot.reply_2"),
            ("a*a.a", "a.a"),
            ("*.created", "shop.created_at"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
