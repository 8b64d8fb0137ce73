//! Values that nobody asked for: stepped over, and still held to JSON's grammar.

use super::fault::Fault;
use super::keys::Keys;
use super::reader::{Reader, member_twice};

impl Reader<'_> {
    /// Steps over the next value. It has to be JSON, and no object in it may have a key twice.
    ///
    /// # Errors
    /// Where that isn't so.
    pub fn skip(&mut self) -> Result<(), Fault> {
        self.step_over::<true>()
    }

    /// Steps over the next value, whose keys are looked at another time.
    pub(super) fn pass(&mut self) -> Result<(), Fault> {
        self.step_over::<false>()
    }

    // recursive, and no deeper than the limit of the reader
    fn step_over<const KEYS: bool>(&mut self) -> Result<(), Fault> {
        match self.next_byte() {
            b'"' => self.text_at_quote().map(|_| ()),
            b'0'..=b'9' | b'-' => self.number("a value").map(|_| ()),
            b'{' => {
                self.enter()?;
                let mut keys = Keys::new();
                let mut first = true;
                while let Some(key) = self.next_key(first)? {
                    first = false;
                    if let Err(fault) = self.step_over::<KEYS>() {
                        return Err(fault.in_key(&key));
                    }
                    if KEYS {
                        keys.note(key).map_err(|key| member_twice(&key))?;
                    }
                }
                Ok(())
            }
            b'[' => {
                self.enter()?;
                let mut index = 0;
                while self.next_item(index == 0)? {
                    self.step_over::<KEYS>().map_err(|fault| fault.in_item(index))?;
                    index += 1;
                }
                Ok(())
            }
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => Err(self.no_value()),
        }
    }

    /// Steps over a word of JSON that begins here.
    #[inline]
    pub(super) fn literal(&mut self, word: &'static str) -> Result<(), Fault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.misspelt(word))
    }

    #[cold]
    #[inline(never)]
    fn misspelt(&mut self, word: &str) -> Fault {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().zip(word.as_bytes()).take_while(|(a, b)| a == b).count();
        self.wanted("a value", "expected ident")
    }
}
