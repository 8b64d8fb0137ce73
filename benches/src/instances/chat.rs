//! Chat messages for the demo platform.

use super::Random;
use super::text::{Object, in_ascii};

pub(crate) fn event(random: &mut Random) -> String {
    let said = if random.percent(80) { random.words(1, 25) } else { random.words(25, 200) };
    let mut event = Object::new().text("emission", said);
    if random.percent(70) {
        event = event.text("language", random.of(&["en", "de", "es", "ja", "el"]));
    }
    if random.percent(40) {
        event = event.raw("attempt", random.from(1, 100));
    }
    let event = event.end();
    // as services written in Python escape it
    if random.percent(25) { in_ascii(&event) } else { event }
}
