mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::event;

#[event("api.user_input")]
pub enum Greeting {
    Hello,
}

fn main() {}
