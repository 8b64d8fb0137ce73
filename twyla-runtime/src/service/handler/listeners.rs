//! The list that `listeners![..]` makes: at most one listener for an event in a group.

use super::const_text::ConstText;
use super::list::{self, HandlerList};
use super::registration::{Listener, Registration};

/// Handlers for [`Service::listeners`](crate::Service::listeners), collected by [`listeners!`](crate::listeners).
pub type Listeners = HandlerList<Registration>;

/// The entry of a handler in `listeners![..]`.
#[doc(hidden)]
pub type Entry = list::Entry<Registration>;

/// Stands in for a function without `#[listener]` in `listeners![..]`. `#[listener]` generates a type with the function's name; without
/// it, the macro's import of `Function` is used instead.
pub mod unlisted {
    /// A function without `#[listener]`.
    #[derive(Debug)]
    pub struct Function;
}

/// A function with `#[listener]`, which `listeners![..]` accepts.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this function is not a listener",
    label = "has no `#[listener]`",
    note = "put `#[listener]` above the function: `listeners![..]` takes functions that have it"
)]
pub trait Listed {
    /// The entry of the listener in a list.
    const ENTRY: Entry;
}

#[diagnostic::do_not_recommend]
impl<L: Listener> Listed for L {
    const ENTRY: Entry =
        Entry { subject: L::EVENT, route: [L::EVENT, L::GROUP], handler: "", registration: L::registration };
}

impl Entry {
    /// Checks an entry against the earlier ones in the list.
    ///
    /// # Panics
    /// At compile time, if an earlier entry has the same event and group. The message names the event, the group and both handlers.
    #[track_caller]
    pub const fn distinct(self, before: &[Self]) {
        let Some(other) = self.twin(before) else { return };
        let text = ConstText::new()
            .with("`")
            .with(self.handler)
            .with("` is the second handler of event `")
            .with(self.subject)
            .with("` in group `")
            .with(self.route[1])
            .with("`, after `")
            .with(other.handler)
            .with("`\n\nnote: the members of a group share its events, so each would get only some of them")
            .with("\nhelp: give one of the two another group: `#[listener(group = \"..\")]`");
        panic!("{}", text.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(event: &'static str, group: &'static str, handler: &'static str) -> Entry {
        Entry { subject: event, route: [event, group], handler, registration: || unreachable!("no test registers it") }
    }

    #[test]
    fn one_event_may_have_two_groups_and_one_group_two_events() {
        let before = [entry("api.a", "g", "one"), entry("api.b", "h", "two")];
        entry("api.a", "h", "three").distinct(&before);
        entry("api.b", "g", "four").distinct(&before);
    }

    #[test]
    #[should_panic(expected = "`x::four` is the second handler of event `api.b` in group `h`, after `two`")]
    fn one_group_has_one_handler_of_an_event() {
        entry("api.b", "h", "x::four").distinct(&[entry("api.a", "g", "one"), entry("api.b", "h", "two")]);
    }
}
