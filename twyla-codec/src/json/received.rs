//! Reads the notations of the large numbers in a text. This is done only if a number is written otherwise than this crate
//! writes it.

use super::fault::Fault;
use super::reader::{Reader, Token};
use crate::received::Received;

impl Reader<'_> {
    /// Reads the next value, and returns its large numbers; `None` if there is none.
    ///
    /// # Errors
    /// The text is not valid JSON.
    #[cold]
    pub(crate) fn received(&mut self) -> Result<Option<Received>, Fault> {
        Ok(match self.peek()? {
            Token::Number => self.number("a number")?.notation().map(Received::number),
            Token::Array => {
                self.enter()?;
                let (mut items, mut index) = (Vec::new(), 0);
                while self.next_item(index == 0)? {
                    items.extend(self.received()?.map(|item| (index, item)));
                    index += 1;
                }
                Received::items(items)
            }
            Token::Object => {
                self.enter()?;
                let (mut members, mut first) = (Vec::new(), true);
                while let Some(key) = self.next_key(first)? {
                    first = false;
                    members.extend(self.received()?.map(|member| (key.into_owned(), member)));
                }
                Received::members(members)
            }
            Token::String | Token::Boolean | Token::Null => {
                self.skip()?;
                None
            }
        })
    }
}
