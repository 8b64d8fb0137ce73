use twyla_golden::custom::shop::OrderPlaced;

fn main() {
    let _ = OrderPlaced::builder().count("one");
}
