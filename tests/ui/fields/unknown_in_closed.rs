mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::{event, listener, listeners};

#[event("shop.order")]
#[derive(Debug)]
pub struct Order {
    order_id: String,
    quantty: u32,
}

#[listener]
async fn answer(input: Order) {
    println!("{input:?}");
}

fn main() {
    let _ = listeners![answer];
}
