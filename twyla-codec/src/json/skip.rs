//! Values that nobody asked for: stepped over, and still held to JSON's grammar.

use super::fault::Fault;
use super::keys::Keys;
use super::members::member_twice;
use super::reader::Reader;

impl<'a> Reader<'a> {
    /// Steps over the next value. It has to be JSON, and no object in it may have a key twice.
    ///
    /// # Errors
    /// Where that isn't so.
    pub fn skip(&mut self) -> Result<(), Fault> {
        self.step_over(Some(&mut Keys::default()))
    }

    /// Steps over the next value, whose keys are looked at another time.
    pub(super) fn pass(&mut self) -> Result<(), Fault> {
        self.step_over(None)
    }

    // recursive, and no deeper than the limit of the reader
    fn step_over(&mut self, mut keys: Option<&mut Keys<'a>>) -> Result<(), Fault> {
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
