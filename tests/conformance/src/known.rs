//! Where an optional file of the suite is disagreed with, and why. Required files have no such list.

use std::fmt;

/// Cases of optional files that come out otherwise than the suite says.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The drafts; none: all.
    pub drafts: &'static [&'static str],
    /// The file, below the draft's folder.
    pub file: &'static str,
    /// The group; `*`: all.
    pub group: &'static str,
    /// The case; `*`: all.
    pub case: &'static str,
    /// Why.
    pub why: &'static str,
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {} / {}", self.file, self.group, self.case)
    }
}

/// The entry for a case, given as file, group and case.
#[must_use]
pub fn find(draft: &str, [file, group, case]: [&str; 3]) -> Option<&'static Known> {
    KNOWN.iter().find(|known| {
        (known.drafts.is_empty() || known.drafts.contains(&draft))
            && known.file == file
            && (known.group == "*" || known.group == group)
            && (known.case == "*" || case == "*" || known.case == case)
    })
}

const KNOWN: &[Known] = &[];
