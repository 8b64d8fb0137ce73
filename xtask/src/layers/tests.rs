use super::*;

/// Writes a crate of these files, and returns its problems.
fn problems_of(all: &[(&str, &str)], table: Option<&str>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in all {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let table = table
        .map(|rows| Table::parse(&format!("## Layers\n\n| crate | layer | modules |\n|---|---|---|\n{rows}")).unwrap());
    let layers = table.as_ref().map(|table| table.of("a").unwrap());
    let (files, problems) = check(folder.path(), &[folder.path().join("lib.rs")], layers).unwrap();
    assert_eq!(files, all.len());
    problems
}

#[test]
fn finds_files_that_name_each_other() {
    let problems = problems_of(
        &[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub struct B; fn f() { let _ = super::c::C; }"),
            ("c.rs", "pub struct C; fn g() { println!(\"{:?}\", crate::a::A); }"),
        ],
        None,
    );
    let circle = "a circle of 3 files; the imports that close it:\n    a -> b: B\n    b -> c: C\n    c -> a: A";
    assert_eq!(problems, [circle]);
}

#[test]
fn follows_a_re_export_to_its_definition() {
    let problems = problems_of(
        &[
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::*;"),
            ("a.rs", "pub struct A;"),
            ("b/mod.rs", "mod inner; pub use inner::B;"),
            ("b/inner.rs", "use crate::A; pub struct B(A);"),
        ],
        None,
    );
    assert!(problems.is_empty(), "{problems:?}");
    let problems = problems_of(
        &[
            ("lib.rs", "mod a; mod b; pub use b::*;"),
            ("a.rs", "use crate::B; pub struct A(B);"),
            ("b/mod.rs", "mod inner; pub use inner::B;"),
            ("b/inner.rs", "use crate::a::A; pub struct B(Box<A>);"),
        ],
        None,
    );
    assert_eq!(problems, ["a circle of 2 files; the imports that close it:\n    a -> b/inner: B\n    b/inner -> a: A"]);
}

#[test]
fn ignores_tests_and_generated_code() {
    let problems = problems_of(
        &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub struct B; fn f() { quote!(crate::a::A); } #[cfg(test)] mod tests { use crate::a::A; }"),
        ],
        None,
    );
    assert!(problems.is_empty(), "{problems:?}");
}

/// A crate whose `low` imports nothing, and whose `high` imports `low`.
const TWO: [(&str, &str); 4] = [
    ("lib.rs", "mod low; mod high; pub use high::High;"),
    ("low.rs", "pub struct Low;"),
    ("high/mod.rs", "mod inner; pub use inner::High;"),
    ("high/inner.rs", "use crate::low::Low; pub struct High(Low);"),
];

#[test]
fn accepts_imports_of_the_own_layer_and_of_those_below() {
    for rows in
        ["|a|one|`low`|\n|a|two|`high`, lib|", "|a|one|low, high, lib|", "|a|one|low, high/inner|\n|a|two|high, `lib`|"]
    {
        let problems = problems_of(&TWO, Some(rows));
        assert!(problems.is_empty(), "{rows}: {problems:?}");
    }
}

#[test]
fn reports_an_import_that_goes_up_a_layer() {
    assert_eq!(
        problems_of(&TWO, Some("|a|one|`high`|\n|a|two|`low`|\n|a|root|lib|")),
        ["`high/inner` (one) imports Low of `low` (two), a layer above it"]
    );
}

#[test]
fn takes_the_longest_name_that_matches_a_file() {
    let files = [
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod b; mod c; fn f(_: b::B) {}"),
        ("a/b.rs", "pub struct B;"),
        ("a/c.rs", "use super::b::B; pub struct C(B);"),
    ];
    assert!(problems_of(&files, Some("|a|one|a/b|\n|a|two|a, lib|")).is_empty());
    assert!(problems_of(&files, Some("|a|one|a|\n|a|two|a/mod|\n|a|root|lib|")).is_empty());
    assert_eq!(
        problems_of(&files, Some("|a|one|a|\n|a|two|a/b, lib|")),
        [
            "`a/c` (one) imports B of `a/b` (two), a layer above it",
            "`a/mod` (one) imports B of `a/b` (two), a layer above it"
        ]
    );
}

#[test]
fn reports_a_file_that_no_row_names() {
    let lost = "`low` is in no layer: name it in a row of the table of layers";
    assert_eq!(problems_of(&TWO, Some("|a|one|high|\n|a|two|lib|")), [lost]);
}

#[test]
fn reports_a_name_that_matches_no_file() {
    let lost = "the layer `one` names `lower`, which matches no file";
    assert_eq!(problems_of(&TWO, Some("|a|one|low, lower|\n|a|two|high, lib|")), [lost]);
}

#[test]
fn reports_a_name_that_two_rows_have() {
    let twice = "the layers `one` and `two` both name `low`: keep one";
    let problems = problems_of(&TWO, Some("|a|one|low|\n|a|two|low, high, lib|"));
    assert!(problems.contains(&twice.to_owned()), "{problems:?}");
}

#[test]
fn reads_only_the_table_under_its_heading() {
    let other = "| crate | layer | modules |\n|---|---|---|\n| b | one | lib |\n";
    let parse = |page: &str| Table::parse(page).map(|table| table.crates().collect::<Vec<_>>().join(" "));
    assert_eq!(parse(&format!("{other}\n## Layers\n\n{}\n## More\n\n{other}", other.replace('b', "a"))).unwrap(), "a");
    assert_eq!(parse(&format!("## Layers\n\nText.\n\n## More\n\n{other}")), Err(table::Error::Missing));
    assert_eq!(parse(other), Err(table::Error::Missing));
}

#[test]
fn refuses_a_row_without_modules() {
    let row = Table::parse("## Layers\n\n| crate | layer | modules |\n|---|---|---|\n| a | one | |\n");
    assert_eq!(row, Err(table::Error::Row(vec!["a".to_owned(), "one".to_owned(), String::new()])));
}
