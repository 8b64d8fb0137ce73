//! The handlers of a service, collected by `rpcs![..]`, which refuses two handlers with the same path.

use super::registration::{Handler, Registration};
use crate::service::handler::{ConstText, HandlerList, ListEntry, same};

/// Handlers for [`Service::rpcs`](crate::Service::rpcs), collected by [`rpcs!`](crate::rpcs).
pub type Rpcs = HandlerList<Registration>;

/// One handler in `rpcs![..]`.
#[doc(hidden)]
pub type Entry = ListEntry<Registration>;

/// The stand-in for a function without `#[rpc]` in `rpcs![..]`: a glob import of this module fills in the missing type.
pub mod unserved {
    /// A function without `#[rpc]`.
    #[derive(Debug)]
    pub struct Function;
}

/// An item of `rpcs![..]`: a function with `#[rpc]`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this function is not an RPC handler",
    label = "has no `#[rpc]`",
    note = "put `#[rpc(\"service.method\")]` above the function: `rpcs![..]` takes functions that have it"
)]
pub trait Listed {
    /// The handler's entry.
    const ENTRY: Entry;
}

#[diagnostic::do_not_recommend]
impl<H: Handler> Listed for H {
    const ENTRY: Entry = Entry { subject: H::NAME, route: [H::METHOD, ""], handler: "", registration: H::registration };
}

impl Entry {
    /// Checks an entry against the earlier ones in the list.
    ///
    /// # Panics
    /// At compile time, if an earlier entry has the same path: the message names both handlers and RPCs.
    #[track_caller]
    pub const fn distinct(self, before: &[Self]) {
        let Some(other) = self.twin(before) else { return };
        let text = ConstText::new().with("`").with(self.handler);
        let text = if same(self.subject, other.subject) {
            let text = text.with("` is the second handler of `").with(self.subject).with("`, after `");
            text.with(other.handler).with("`\n\nhelp: remove one of the two from the list")
        } else {
            let text = text.with("` serves `").with(self.subject).with("` and `").with(other.handler);
            let text = text.with("` serves `").with(other.subject).with("`, both at the path `/rpc/");
            text.with(self.route[0]).with("`\n\nhelp: serve one of the two in another service")
        };
        panic!("{}", text.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &'static str, handler: &'static str) -> Entry {
        let method = name.split_once('.').unwrap().1;
        Entry { subject: name, route: [method, ""], handler, registration: || unreachable!("no test registers it") }
    }

    #[test]
    fn methods_are_distinct() {
        entry("a.get", "three").distinct(&[entry("a.put", "one"), entry("a.post", "two")]);
    }

    #[test]
    #[should_panic(expected = "`x::two` is the second handler of `a.get`, after `one`")]
    fn an_rpc_has_one_handler() {
        entry("a.get", "x::two").distinct(&[entry("a.get", "one")]);
    }

    #[test]
    #[should_panic(expected = "`two` serves `b.get` and `one` serves `a.get`, both at the path `/rpc/get`")]
    fn a_path_has_one_handler() {
        entry("b.get", "two").distinct(&[entry("a.get", "one")]);
    }
}
