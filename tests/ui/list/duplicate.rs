mod contracts {
    twyla_runtime::include_contracts!();
}
use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

#[listener("api.user_input", group = "bots")]
async fn answer(_: UserInput) {}

mod more {
    #[twyla_runtime::listener(group = "bots")]
    pub async fn shout(_: super::UserInput) {}
}

fn main() {
    let _ = listeners![answer, more::shout];
}
