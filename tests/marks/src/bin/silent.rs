//! A program that has the contracts compiled in, and emits nothing.

fn main() {
    println!("{}", twyla_marks::contracts::marks::Direct::new(1).n);
}
