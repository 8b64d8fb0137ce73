//! A program with the contracts compiled in, which emits nothing.

fn main() {
    println!("{}", twyla_marks::contracts::marks::Direct::new(1).n);
}
