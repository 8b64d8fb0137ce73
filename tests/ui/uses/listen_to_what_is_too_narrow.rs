mod contracts {
    twyla_runtime::include_contracts!();
}
use twyla_runtime::{event, listener, listeners};

#[event("shop.order")]
#[derive(Debug)]
pub struct Order {
    order_id: String,
    quantity: u16,
    note: Option<String>,
}

#[listener]
async fn answer(input: Order) {
    println!("{input:?}");
}

fn main() {
    let _ = listeners![answer];
}
