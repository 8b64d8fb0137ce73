use twyla_golden::custom::shop::OrderPlaced;

fn main() {
    OrderPlaced::builder().totl(1);
}
