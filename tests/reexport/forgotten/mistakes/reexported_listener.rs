use platform_contracts::api::UserInput;

#[kit::twyla::listener("api.user_input", contracts = platform_contracts)]
async fn answer(_: UserInput) {}

fn main() {
    let _ = kit::twyla::listeners![answer];
}
