//! The pages in a real Chromium: nothing in its console, nothing asked of anybody, the keyboard alone is enough, and axe finds
//! nothing that keeps people out; of a thousand contracts, too.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use twyla_browser::{Browser, Tab};

use crate::folder::{EVIL, evil, manifests, site, twyla, workspace, write};
use crate::served::Served;
use crate::thousand;

fn chromium() -> Browser {
    let program = std::env::var("TWYLA_TEST_CHROMIUM").expect("TWYLA_TEST_CHROMIUM names the program");
    Browser::start(&program).unwrap()
}

/// axe-core, which holds pages to WCAG.
fn axe() -> String {
    let folder =
        std::env::var("TWYLA_TEST_NODE").expect("TWYLA_TEST_NODE names the folder that axe-core is installed in");
    fs::read_to_string(Path::new(&folder).join("node_modules/axe-core/axe.min.js")).unwrap()
}

/// Nothing was complained of, and nothing was asked for but files of the site.
fn quiet(tab: &mut Tab<'_>, root: &str, at: &str) {
    let seen = tab.seen().unwrap();
    assert_eq!(seen.complaints, Vec::<String>::new(), "{at}");
    assert!(!seen.requests.is_empty(), "{at}");
    for request in seen.requests {
        assert!(request.starts_with(root), "{at} asks for {request}");
    }
    assert_eq!(tab.eval("window.harmed === undefined").unwrap(), true, "{at}");
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let files = site(folder);
    files.keys().filter(|path| path.ends_with(".html")).map(|path| folder.join(path)).collect()
}

#[test]
#[ignore = "needs Chromium and axe-core: cargo xtask test installs them"]
fn every_page_is_accessible_and_logs_no_error() {
    let mut browser = chromium();
    let axe = axe();
    let demo = tempfile::tempdir().unwrap();
    manifests(&demo.path().join("fleet"));
    let schemas = workspace().join("schemas");
    let args = ["docs", "--schemas", schemas.to_str().unwrap(), "--manifests", "fleet", "--into", "site"];
    assert_eq!(twyla(demo.path(), &args).1, 0);
    let hostile = evil();
    assert_eq!(twyla(hostile.path(), &["docs", "--into", "site", "--title", EVIL]).1, 0);
    let mut tab = browser.tab(1200, 900).unwrap();
    for folder in [demo.path(), hostile.path()] {
        let folder = folder.join("site").canonicalize().unwrap();
        let root = format!("file://{}/", folder.display());
        for page in pages(&folder) {
            for scheme in ["light", "dark"] {
                tab.scheme(scheme).unwrap();
                tab.open_file(&page).unwrap();
                let at = format!("{} in {scheme}", page.display());
                quiet(&mut tab, &root, &at);
                tab.eval(&axe).unwrap();
                let found = tab
                    .eval(
                        "axe.run(document, { resultTypes: ['violations'], preload: false }).then((it) => it.violations.map((v) => \
                         `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html + ' ' + n.failureSummary).join(' | ')}`))",
                    )
                    .unwrap();
                assert_eq!(found, Value::Array(Vec::new()), "{at}");
                // a narrow one has all of it too
                let wide = tab.eval("document.documentElement.scrollWidth <= innerWidth").unwrap();
                assert_eq!(wide, true, "{at} is wider than the window");
            }
        }
    }
}

#[test]
#[ignore = "needs Chromium: cargo xtask test installs it"]
fn the_keyboard_alone_is_enough() {
    let mut browser = chromium();
    let hostile = evil();
    assert_eq!(twyla(hostile.path(), &["docs", "--into", "site"]).1, 0);
    let folder = hostile.path().join("site").canonicalize().unwrap();
    let mut tab = browser.tab(1200, 900).unwrap();
    tab.open_file(&folder.join("events/evil.one.html")).unwrap();
    let back = |tab: &mut Tab<'_>, scheme: &str| {
        tab.scheme(scheme).unwrap();
        tab.eval("getComputedStyle(document.body).backgroundColor").unwrap()
    };
    assert_eq!(back(&mut tab, "light"), "rgb(255, 255, 255)");
    assert_eq!(back(&mut tab, "dark"), "rgb(17, 22, 29)");
    // the first thing that is come to leads past the rest, and is seen
    tab.press("Tab").unwrap();
    let first = "(() => { const it = document.activeElement; const at = it.getBoundingClientRect(); return [it.className, at.top >= 0, getComputedStyle(it).outlineStyle]; })()";
    assert_eq!(tab.eval(first).unwrap(), serde_json::json!(["skip", true, "solid"]));
    tab.press("Enter").unwrap();
    assert_eq!(tab.eval("location.hash + ' ' + document.activeElement.id").unwrap(), "#main main");
    // everything that can be come to shows that it has been
    for _ in 0..12 {
        tab.press("Tab").unwrap();
        let shown = tab.eval("getComputedStyle(document.activeElement).outlineStyle").unwrap();
        assert_eq!(shown, "solid", "{}", tab.eval("document.activeElement.outerHTML").unwrap());
    }
    tab.press("/").unwrap();
    assert_eq!(tab.eval("document.activeElement.id").unwrap(), "q");
    tab.write("evil o").unwrap();
    let found = |tab: &mut Tab<'_>| {
        tab.eval(
            "new Promise((done) => { const look = () => document.querySelector('#found [role=option]') ? done([...document.querySelectorAll('#found .hit')].map((it) => it.textContent)) : setTimeout(look, 5); look(); })",
        )
        .unwrap()
    };
    let names = found(&mut tab);
    assert_eq!(names[0], "evil.one", "{names}");
    let said = tab.eval("document.getElementById('said').textContent").unwrap();
    assert_eq!(said, format!("{} are found", names.as_array().unwrap().len()));
    let state = "(() => { const q = document.getElementById('q'); return [q.getAttribute('aria-expanded'), q.getAttribute('aria-activedescendant')]; })()";
    assert_eq!(tab.eval(state).unwrap(), serde_json::json!(["true", null]));
    tab.press("ArrowDown").unwrap();
    assert_eq!(tab.eval(state).unwrap(), serde_json::json!(["true", "found-0"]));
    let selected = tab.eval("document.querySelector('#found [aria-selected=true]').id").unwrap();
    assert_eq!(selected, "found-0");
    tab.press("Escape").unwrap();
    assert_eq!(tab.eval(state).unwrap(), serde_json::json!(["false", null]));
    tab.press("ArrowDown").unwrap();
    tab.press("ArrowDown").unwrap();
    tab.seen().unwrap();
    tab.press("Enter").unwrap();
    tab.loaded().unwrap();
    let path = tab.eval("location.pathname").unwrap();
    assert!(path.as_str().unwrap().ends_with("/site/events/evil.one.html"), "{path}");
    quiet(&mut tab, &format!("file://{}/", folder.display()), "the search");
}

#[test]
#[ignore = "needs Chromium: cargo xtask test installs it"]
fn a_served_page_reloads_itself() {
    let mut browser = chromium();
    let folder = tempfile::tempdir().unwrap();
    let one = |text: &str| write(folder.path(), &[("schemas/events/api/one.json", text)]);
    write(folder.path(), &[("schemas/context.json", "{}")]);
    one(r#"{ "description": "before" }"#);
    let served = Served::start(folder.path());
    let root = format!("http://{}/", served.address);
    let mut tab = browser.tab(1200, 900).unwrap();
    tab.open(&format!("{root}events/api.one.html")).unwrap();
    quiet(&mut tab, &root, "the page");
    let until = |tab: &mut Tab<'_>, what: &str| {
        let look = format!(
            "new Promise((done) => {{ const look = () => ({what}) ? done(true) : setTimeout(look, 20); look(); }})"
        );
        assert_eq!(tab.eval(&look).unwrap(), true);
    };
    // that it knows which version it is of is nothing to be seen: it has answered once when it waits for the second time
    until(&mut tab, "performance.getEntriesByType('resource').some((it) => it.name.endsWith('since=0'))");
    one(r#"{ "type": "sting" }"#);
    until(&mut tab, "document.querySelector('[role=alert]')?.textContent.includes('did you mean `string`?')");
    one(r#"{ "description": "and after" }"#);
    tab.loaded().unwrap();
    until(&mut tab, "document.querySelector('.lead')?.textContent === 'and after'");
    quiet(&mut tab, &root, "the reloaded page");
}

/// Its figures are printed, and none of a time is held to: `--nocapture` shows them, and `cargo bench` measures them.
#[test]
#[ignore = "needs Chromium: cargo xtask test installs it"]
fn a_thousand_contracts_are_searched() {
    let folder = tempfile::tempdir().unwrap();
    thousand::write(folder.path()).unwrap();
    let (said, code) = twyla(folder.path(), &["docs", "--into", "site"]);
    assert_eq!(code, 0, "{said}");
    let figures = thousand::measure(&mut chromium(), &folder.path().join("site")).unwrap();
    println!("{figures:?}");
    assert_eq!(figures.complaints, Vec::<String>::new());
    assert!(figures.first_page < 300_000, "the first page is of {} bytes", figures.first_page);
    assert!(figures.found > 1000, "{figures:?}");
}
