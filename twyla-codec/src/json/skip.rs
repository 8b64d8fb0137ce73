//! Skipping of values that no field reads. Their grammar is still checked.

use super::fault::Fault;
use super::keys::KeyStack;
use super::members::member_twice;
use super::reader::Reader;

impl<'a> Reader<'a> {
    /// Skips the next value.
    ///
    /// # Errors
    /// The value is not valid JSON, or an object in it has a duplicate key.
    pub fn skip(&mut self) -> Result<(), Fault> {
        self.step_over(Some(&mut KeyStack::default()))
    }

    /// Skips the next value without a search for duplicate keys, which another pass does.
    pub(super) fn skip_unchecked(&mut self) -> Result<(), Fault> {
        self.step_over(None)
    }

    // the reader's limit bounds the recursion
    fn step_over(&mut self, mut keys: Option<&mut KeyStack<'a>>) -> Result<(), Fault> {
        match self.next_byte() {
            b'"' => self.text_at_quote().map(|_| ()),
            b'0'..=b'9' | b'-' => self.number("a value").map(|_| ()),
            b'{' => {
                self.enter()?;
                let mut level = keys.as_ref().map(|keys| keys.enter());
                let mut first = true;
                while let Some(key) = self.next_key(first)? {
                    first = false;
                    if let Err(fault) = self.step_over(keys.as_deref_mut()) {
                        return Err(fault.in_key(&key));
                    }
                    if let (Some(keys), Some(level)) = (&mut keys, &mut level) {
                        keys.note(level, key).map_err(|key| member_twice(&key))?;
                    }
                }
                if let (Some(keys), Some(level)) = (keys, level) {
                    keys.leave(&level);
                }
                Ok(())
            }
            b'[' => {
                self.enter()?;
                let mut index = 0;
                while self.next_item(index == 0)? {
                    self.step_over(keys.as_deref_mut()).map_err(|fault| fault.in_item(index))?;
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

    /// Consumes one of JSON's literal words.
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
        self.expected_fault("a value", "expected ident")
    }
}
