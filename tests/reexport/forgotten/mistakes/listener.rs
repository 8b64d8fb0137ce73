use bus::{listener, listeners};
use platform_contracts::api::UserInput;

#[listener("api.user_input", contracts = platform_contracts)]
async fn answer(_: UserInput) {}

fn main() {
    let _ = listeners![answer];
}
