use platform_contracts::api::UserInput;

#[bus::listener(group = "bot")]
async fn answer(_: UserInput) {}

fn main() {
    let _ = bus::listeners![answer];
}
