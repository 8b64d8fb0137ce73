//! Internationalized labels of host names by RFC 5891 to 5893, and their Punycode (RFC 3492).
//!
//! Approximate in two places, so that no exact tables are needed: the script of letters decides whether they join (for
//! the zero-width non-joiner), and normalization form NFC is only checked character by character. Both are exact for
//! `idn-hostname`, by the crate `idna`.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// The direction of a character for the Bidi rule: `None` in labels without right-to-left characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Left,
    Right,
    /// Arabic digits.
    ArabicDigit,
    Digit,
    /// A mark, which belongs to the character before it.
    Mark,
    Neutral,
}

/// Decodes the label after `xn--`, in lower case; `None` if it isn't an A-label.
pub(crate) fn decoded(written: &str) -> Option<String> {
    let label: String = punycode::decode(written)?.into_iter().collect();
    (!label.is_ascii() && allowed(&label) && punycode::encode(&label).as_deref() == Some(written)).then_some(label)
}

/// Returns whether the labels of one name fit together (RFC 5893): if one label is right-to-left, all must satisfy the
/// Bidi rule.
pub(crate) fn fit_together(labels: &[String]) -> bool {
    let right =
        |label: &String| label.chars().any(|c| matches!(direction(c), Direction::Right | Direction::ArabicDigit));
    !labels.iter().any(right) || labels.iter().all(|label| keeps_direction(label))
}

fn keeps_direction(label: &str) -> bool {
    let all: Vec<Direction> = label.chars().map(direction).collect();
    let has = |one: Direction| all.contains(&one);
    let last = all.iter().rev().find(|direction| **direction != Direction::Mark);
    match all.first() {
        Some(Direction::Left) => {
            let ends = matches!(last, Some(Direction::Left | Direction::Digit));
            ends && !has(Direction::Right) && !has(Direction::ArabicDigit)
        }
        Some(Direction::Right) => {
            let ends = matches!(last, Some(Direction::Right | Direction::Digit | Direction::ArabicDigit));
            ends && !has(Direction::Left) && !(has(Direction::Digit) && has(Direction::ArabicDigit))
        }
        _ => false,
    }
}

fn direction(c: char) -> Direction {
    match c {
        '0'..='9' | '\u{6F0}'..='\u{6F9}' => Direction::Digit,
        '\u{660}'..='\u{669}' | '\u{10D30}'..='\u{10D39}' => Direction::ArabicDigit,
        '-' | '\u{B7}' | '\u{375}' | '\u{F0B}' | '\u{30FB}' | '\u{200C}' | '\u{200D}' => Direction::Neutral,
        c if MARKS.has(c) && !SPACING.has(c) => Direction::Mark,
        // the blocks of right-to-left scripts
        '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}' => Direction::Right,
        '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}' => Direction::Right,
        _ => Direction::Left,
    }
}

/// Checks each character in its context by RFC 5892, and the label as a whole by RFC 5891.
fn allowed(label: &str) -> bool {
    let chars: Vec<char> = label.chars().collect();
    if label.starts_with('-') || label.ends_with('-') || matches!(chars.get(2..4), Some(['-', '-'])) {
        return false;
    }
    if chars.first().is_none_or(|first| MARKS.has(*first)) {
        return false;
    }
    let any = |set: &CharSet| chars.iter().any(|c| set.has(*c));
    chars.iter().enumerate().all(|(at, c)| {
        let before = || at.checked_sub(1).and_then(|before| chars.get(before)).copied();
        let after = || chars.get(at + 1).copied();
        match *c {
            'a'..='z' | '0'..='9' | '-' => true,
            // appendix A.1, A.2: joiners
            '\u{200C}' => before().is_some_and(is_virama) || joins(&chars, at),
            '\u{200D}' => before().is_some_and(is_virama),
            // A.3: middle dot, as in Catalan
            '\u{B7}' => before() == Some('l') && after() == Some('l'),
            // A.4 to A.6: the Greek keraia, the Hebrew geresh and gershayim
            '\u{375}' => after().is_some_and(|c| GREEK.has(c)),
            '\u{5F3}' | '\u{5F4}' => before().is_some_and(|c| HEBREW.has(c)),
            // A.7: katakana middle dot
            '\u{30FB}' => any(&JAPANESE),
            // A.8, A.9: two kinds of digits
            '\u{660}'..='\u{669}' => !chars.iter().any(|c| matches!(c, '\u{6F0}'..='\u{6F9}')),
            '\u{6F0}'..='\u{6F9}' => !chars.iter().any(|c| matches!(c, '\u{660}'..='\u{669}')),
            c => is_valid(c),
        }
    })
}

/// Returns whether a character beyond ASCII is `PVALID` by RFC 5892.
fn is_valid(c: char) -> bool {
    match c {
        // exceptions, valid and invalid
        '\u{DF}' | '\u{3C2}' | '\u{6FD}' | '\u{6FE}' | '\u{F0B}' | '\u{3007}' => true,
        '\u{640}' | '\u{7FA}' | '\u{302E}' | '\u{302F}' | '\u{3031}'..='\u{3035}' | '\u{303B}' => false,
        // old Hangul Jamo
        '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97C}' | '\u{D7B0}'..='\u{D7FB}' => false,
        c => !c.is_ascii() && LETTERS.has(c) && !is_unstable(c),
    }
}

fn is_unstable(c: char) -> bool {
    let c = u32::from(c);
    let at = UNSTABLE.partition_point(|(_, last)| *last < c);
    UNSTABLE.get(at).is_some_and(|(first, _)| *first <= c)
}

/// Returns whether a non-joiner stands between letters that would join.
fn joins(chars: &[char], at: usize) -> bool {
    let letter = |c: &&char| !MARKS.has(**c);
    let before = chars.get(..at).and_then(|before| before.iter().rev().find(letter));
    let after = chars.get(at + 1..).and_then(|after| after.iter().find(letter));
    before.is_some_and(|c| JOINING.has(*c)) && after.is_some_and(|c| JOINING.has(*c))
}

/// Returns whether a character is a virama, by its canonical combining class.
fn is_virama(c: char) -> bool {
    VIRAMAS.contains(&c)
}

#[rustfmt::skip]
const VIRAMAS: [char; 63] = [
    '\u{94D}', '\u{9CD}', '\u{A4D}', '\u{ACD}', '\u{B4D}', '\u{BCD}', '\u{C4D}', '\u{CCD}', '\u{D3B}', '\u{D3C}',
    '\u{D4D}', '\u{DCA}', '\u{E3A}', '\u{EBA}', '\u{F84}', '\u{1039}', '\u{103A}', '\u{1714}', '\u{1715}', '\u{1734}',
    '\u{17D2}', '\u{1A60}', '\u{1B44}', '\u{1BAA}', '\u{1BAB}', '\u{1BF2}', '\u{1BF3}', '\u{2D7F}', '\u{A806}',
    '\u{A82C}', '\u{A8C4}', '\u{A953}', '\u{A9C0}', '\u{AAF6}', '\u{ABED}', '\u{10A3F}', '\u{11046}', '\u{11070}',
    '\u{1107F}', '\u{110B9}', '\u{11133}', '\u{11134}', '\u{111C0}', '\u{11235}', '\u{112EA}', '\u{1134D}',
    '\u{11442}', '\u{114C2}', '\u{115BF}', '\u{1163F}', '\u{116B6}', '\u{1172B}', '\u{11839}', '\u{1193D}',
    '\u{1193E}', '\u{119E0}', '\u{11A34}', '\u{11A47}', '\u{11A99}', '\u{11C3F}', '\u{11D44}', '\u{11D45}',
    '\u{11D97}',
];

/// A set of characters, as sorted ranges.
struct CharSet(Vec<(char, char)>);

impl CharSet {
    /// Creates the set from a class in the syntax of the `regex` crate, which already contains Unicode's tables.
    fn of(class: &str) -> Self {
        let parsed = regex_syntax::parse(class).ok();
        let ranges = match parsed.as_ref().map(regex_syntax::hir::Hir::kind) {
            Some(HirKind::Class(Class::Unicode(class))) => {
                class.ranges().iter().map(|range| (range.start(), range.end())).collect()
            }
            _ => Vec::new(),
        };
        Self(ranges)
    }

    fn has(&self, c: char) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < c);
        self.0.get(at).is_some_and(|(first, _)| *first <= c)
    }
}

/// Letters, marks and digits, except capitals.
static LETTERS: LazyLock<CharSet> = LazyLock::new(|| {
    CharSet::of(
        r"[[\p{Lu}\p{Ll}\p{Lo}\p{Lm}\p{Mn}\p{Mc}\p{Nd}]--[\p{Changes_When_Casefolded}\p{Default_Ignorable_Code_Point}]]",
    )
});
static MARKS: LazyLock<CharSet> = LazyLock::new(|| CharSet::of(r"\p{M}"));
static SPACING: LazyLock<CharSet> = LazyLock::new(|| CharSet::of(r"\p{Mc}"));
static GREEK: LazyLock<CharSet> = LazyLock::new(|| CharSet::of(r"\p{Script=Greek}"));
static HEBREW: LazyLock<CharSet> = LazyLock::new(|| CharSet::of(r"\p{Script=Hebrew}"));
static JAPANESE: LazyLock<CharSet> =
    LazyLock::new(|| CharSet::of(r"[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]"));
static JOINING: LazyLock<CharSet> = LazyLock::new(|| {
    CharSet::of(
        r"[[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Nko}\p{Script=Mandaic}\p{Script=Mongolian}\p{Script=Phags_Pa}\p{Script=Adlam}\p{Script=Hanifi_Rohingya}]&&\p{L}]",
    )
});

/// The members of [`LETTERS`] that the normalization forms NFC or NFKC replace.
#[rustfmt::skip]
const UNSTABLE: [(u32, u32); 86] = [
    (0xAA, 0xBA), (0x133, 0x133), (0x140, 0x140), (0x1C6, 0x1CC), (0x1F3, 0x1F3), (0x2B0, 0x2B8), (0x2E0, 0x2E4),
    (0x340, 0x341), (0x343, 0x344), (0x374, 0x374), (0x37A, 0x37A), (0x3D2, 0x3D4), (0x3F2, 0x3F2), (0x675, 0x678),
    (0x958, 0x95F), (0x9DC, 0x9DF), (0xA33, 0xA33), (0xA36, 0xA36), (0xA59, 0xA5B), (0xA5E, 0xA5E), (0xB5C, 0xB5D),
    (0xE33, 0xE33), (0xEB3, 0xEB3), (0xEDC, 0xEDD), (0xF43, 0xF43), (0xF4D, 0xF4D), (0xF52, 0xF52), (0xF57, 0xF57),
    (0xF5C, 0xF5C), (0xF69, 0xF69), (0xF73, 0xF73), (0xF75, 0xF79), (0xF81, 0xF81), (0xF93, 0xF93), (0xF9D, 0xF9D),
    (0xFA2, 0xFA2), (0xFA7, 0xFA7), (0xFAC, 0xFAC), (0xFB9, 0xFB9), (0x10FC, 0x10FC), (0x1D2C, 0x1D2E),
    (0x1D30, 0x1D3A), (0x1D3C, 0x1D4D), (0x1D4F, 0x1D6A), (0x1D78, 0x1D78), (0x1D9B, 0x1DBF), (0x1F71, 0x1F71),
    (0x1F73, 0x1F73), (0x1F75, 0x1F75), (0x1F77, 0x1F77), (0x1F79, 0x1F79), (0x1F7B, 0x1F7B), (0x1F7D, 0x1F7D),
    (0x1FBE, 0x1FBE), (0x1FD3, 0x1FD3), (0x1FE3, 0x1FE3), (0x2071, 0x209C), (0x2102, 0x2149), (0x2C7C, 0x2C7D),
    (0x2D6F, 0x2D6F), (0x309F, 0x309F), (0x30FF, 0x30FF), (0x3131, 0x318E), (0xA69C, 0xA69D), (0xA770, 0xA770),
    (0xA7F2, 0xA7F4), (0xA7F8, 0xA7F9), (0xAB5C, 0xAB5F), (0xAB69, 0xAB69), (0xF900, 0xFA0D), (0xFA10, 0xFA10),
    (0xFA12, 0xFA12), (0xFA15, 0xFA1E), (0xFA20, 0xFA20), (0xFA22, 0xFA22), (0xFA25, 0xFA26), (0xFA2A, 0xFB1D),
    (0xFB1F, 0xFDFB), (0xFE70, 0xFE72), (0xFE74, 0xFFDC), (0x10781, 0x107BA), (0x1CCF0, 0x1CCF9), (0x1D400, 0x1D7FF),
    (0x1E030, 0x1E06D), (0x1EE00, 0x1FBF9), (0x2F800, 0x2FA1D),
];

/// Punycode (RFC 3492).
mod punycode {
    const BASE: u32 = 36;
    const LEAST: u32 = 1;
    const MOST: u32 = 26;

    /// Decodes a lower-case label.
    pub(crate) fn decode(text: &str) -> Option<Vec<char>> {
        let (basic, encoded) = text.rsplit_once('-').unwrap_or(("", text));
        let mut out: Vec<char> = basic.chars().collect();
        let (mut code, mut index, mut bias) = (128_u32, 0_u32, 72);
        let mut digits = encoded.bytes();
        while digits.len() > 0 {
            let (before, mut weight, mut at) = (index, 1_u32, BASE);
            loop {
                let digit = match digits.next()? {
                    letter @ b'a'..=b'z' => u32::from(letter - b'a'),
                    digit @ b'0'..=b'9' => u32::from(digit - b'0') + 26,
                    _ => return None,
                };
                index = index.checked_add(digit.checked_mul(weight)?)?;
                let threshold = threshold(at, bias);
                if digit < threshold {
                    break;
                }
                weight = weight.checked_mul(BASE - threshold)?;
                at += BASE;
            }
            let count = u32::try_from(out.len()).ok()? + 1;
            bias = adapt(index - before, count, before == 0);
            code = code.checked_add(index / count)?;
            index %= count;
            out.insert(usize::try_from(index).ok()?, char::from_u32(code)?);
            index += 1;
        }
        Some(out)
    }

    pub(crate) fn encode(label: &str) -> Option<String> {
        let mut out: String = label.chars().filter(char::is_ascii).collect();
        let basic = u32::try_from(out.len()).ok()?;
        if basic > 0 {
            out.push('-');
        }
        let (mut code, mut delta, mut bias, mut done) = (128_u32, 0_u32, 72, basic);
        while let Some(next) = label.chars().map(u32::from).filter(|c| *c >= code).min() {
            delta = delta.checked_add((next - code).checked_mul(done + 1)?)?;
            code = next;
            for c in label.chars().map(u32::from) {
                if c < code {
                    delta = delta.checked_add(1)?;
                }
                if c == code {
                    let (mut rest, mut at) = (delta, BASE);
                    loop {
                        let threshold = threshold(at, bias);
                        if rest < threshold {
                            break;
                        }
                        out.push(digit(threshold + (rest - threshold) % (BASE - threshold))?);
                        rest = (rest - threshold) / (BASE - threshold);
                        at += BASE;
                    }
                    out.push(digit(rest)?);
                    bias = adapt(delta, done + 1, done == basic);
                    (delta, done) = (0, done + 1);
                }
            }
            (delta, code) = (delta.checked_add(1)?, code + 1);
        }
        Some(out)
    }

    fn digit(value: u32) -> Option<char> {
        char::from_digit(value, BASE).and_then(|_| {
            let byte = u8::try_from(value).ok()?;
            Some(char::from(if byte < 26 { b'a' + byte } else { b'0' + (byte - 26) }))
        })
    }

    fn threshold(at: u32, bias: u32) -> u32 {
        at.saturating_sub(bias).clamp(LEAST, MOST)
    }

    fn adapt(delta: u32, count: u32, first: bool) -> u32 {
        let mut delta = delta / if first { 700 } else { 2 };
        delta += delta / count;
        let mut at = 0;
        while delta > (BASE - LEAST) * MOST / 2 {
            delta /= BASE - LEAST;
            at += BASE;
        }
        at + (BASE - LEAST + 1) * delta / (delta + 38)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_it_has_read() {
        // the samples of RFC 3492, section 7.1
        for (label, written) in [
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"),
            ("ひとつ屋根の下2", "2-u9tlzr9756bt3uc0v"),
            ("bücher", "bcher-kva"),
        ] {
            assert_eq!(punycode::encode(label).as_deref(), Some(written));
            assert_eq!(decoded(written).as_deref(), Some(label));
        }
        // not in canonical form; ASCII only; not a digit; beyond Unicode
        for written in ["--9uc", "example-", "b_cher-kva", "bcher-KVA", "999999999", "", "-"] {
            assert_eq!(decoded(written), None, "{written}");
        }
    }

    /// Compares the table of unstable characters with the crate `idna` on every character.
    #[test]
    fn letters_are_those_that_idna_leaves_as_they_are() {
        use idna::uts46::{AsciiDenyList, Hyphens, Uts46};
        for c in '\u{80}'..=char::MAX {
            if LETTERS.has(c) {
                // alone, or after a letter of its direction
                let kept = ["", "a", "\u{5D0}"].iter().any(|before| {
                    let label = format!("{before}{c}");
                    let (read, fits) = Uts46::new().to_unicode(label.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow);
                    fits.is_ok() && read == label
                });
                assert_eq!(kept, !is_unstable(c), "{c:?}");
            }
        }
    }
}
