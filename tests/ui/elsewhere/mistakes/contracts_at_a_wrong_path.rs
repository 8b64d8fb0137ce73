use contracts::api::UserInput;
use twyla_runtime::{listener, listeners};

#[listener("api.user_input", contracts = platfrom)]
async fn answer(_: UserInput) {}

fn main() {
    let _ = listeners![answer];
}
