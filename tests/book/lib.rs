//! The book's pages with Rust listings, each as the docs of a module, so that rustdoc compiles and runs the listings.
#![forbid(unsafe_code)]

/// The contracts on the page of shapes.
#[allow(missing_docs, reason = "some contracts have no docs")]
pub mod contracts {
    include!(concat!(env!("OUT_DIR"), "/shapes.rs"));
}

/// Declares a module with a page of the book as its docs.
macro_rules! pages {
    ($($name:ident = $file:literal,)*) => {
        $(#[cfg(doctest)] #[doc = include_str!(concat!("../../docs/book/src/", $file))] pub mod $name {})*
    };
}

pages! {
    folder = "folder.md",
    tutorial = "tutorial.md",
    types = "types.md",
    shapes = "shapes.md",
    own_structs = "own-structs.md",
    handlers = "handlers.md",
    calls = "calls.md",
    cloudevents = "cloudevents.md",
}
