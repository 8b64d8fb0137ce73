//! Formats generated tokens as readable code: text that is too long for a line is broken at braces, brackets and commas.
//!
//! The result is close to rustfmt's. Parsing the code for that would cost several times as much, and build scripts run
//! unoptimized.

mod printer;
mod token;

use proc_macro2::TokenStream;

use crate::codegen::prelude::Prelude;
use printer::Printer;

/// Formats generated code. `prelude` has the names that need no path.
pub(crate) fn text(tokens: TokenStream, prelude: &Prelude) -> String {
    Printer::file(&token::pieces(tokens, prelude))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the tokens of a text, without white space.
    fn tokens(code: &str) -> String {
        code.parse::<TokenStream>().unwrap().to_string().replace(char::is_whitespace, "")
    }

    #[test]
    fn says_the_same_in_lines() {
        for (code, laid_out) in [
            (
                "pub struct A<'a,T>{pub a:Option<&'a T>,b:Vec<u8>,}",
                "pub struct A<'a, T> { pub a: Option<&'a T>, b: Vec<u8>, }\n",
            ),
            (
                "#[derive(Debug)]struct A; impl A{fn a(&self)->u8{self.a.b()?;!x}}",
                "#[derive(Debug)]\nstruct A;\nimpl A {\n    fn a(&self) -> u8 {\n        self.a.b()?;\n        !x\n    }\n}\n",
            ),
            (
                "fn a(){if let ::std::option::Option::Some(value)=&self.a{x(value,-1);}else{y!(a)}while a&&*b{c+=1;}}",
                "fn a() {\n    if let ::std::option::Option::Some(value) = &self.a {\n        x(value, -1);\n    } else { y!(a) }\n    \
                 while a && *b {\n        c += 1;\n    }\n}\n",
            ),
            ("static A:&[(&str,u8)]=&[(\"a\",1),];", "static A: &[(&str, u8)] = &[(\"a\", 1),];\n"),
            ("for(a,b)in 0..=1{}", "for (a, b) in 0..=1 {}\n"),
            ("impl<T>A for<T as B>::C{}", "impl <T> A for <T as B>::C {}\n"),
        ] {
            let made = text(code.parse().unwrap(), &Prelude::default());
            assert_eq!(made, laid_out);
            assert_eq!(tokens(&made), tokens(code));
        }
    }

    #[test]
    fn breaks_lines_that_are_too_long() {
        let long = format!("f({});", "argument, ".repeat(15));
        let made = text(long.parse().unwrap(), &Prelude::default());
        assert_eq!(made, format!("f(\n{});\n", "    argument,\n".repeat(15)));
    }

    #[test]
    fn keeps_documentation_as_it_is() {
        let doc = " a \"b\" \\ 'c' \u{202e}\u{301} ü";
        let made = text(quote::quote!(#[doc = #doc] struct A;), &Prelude::default());
        assert_eq!(made, format!("///{doc}\nstruct A;\n"));
        let doc = "a\nb";
        assert_eq!(
            text(quote::quote!(#[doc = #doc] struct A;), &Prelude::default()),
            "#[doc = \"a\\nb\"]\nstruct A;\n"
        );
    }

    #[test]
    fn names_of_the_prelude_need_no_path() {
        let code: TokenStream = "::std::option::Option::Some(::std::vec::Vec::<::std::string::String>::new()); \
            ::std::result::Result::Ok(None); ::std::mem::take(a); Self::None; my::Option::None; my::std::option::Option::None;"
            .parse()
            .unwrap();
        let lines = |items: &[&str]| text(code.clone(), &Prelude::beside(&items.iter().copied().collect()));
        let own = "::std::mem::take(a);\nSelf::None;\nmy::Option::None;\nmy::std::option::Option::None;\n";
        assert_eq!(lines(&[]), format!("Some(Vec::<String>::new());\nOk(None);\n{own}"));
        assert_eq!(
            lines(&["Option", "String", "Ok"]),
            format!("::std::option::Option::Some(Vec::<::std::string::String>::new());\nResult::Ok(None);\n{own}")
        );
        assert_eq!(lines(&["Some"]), format!("Option::Some(Vec::<String>::new());\nOk(None);\n{own}"));
    }
}
