//! A thousand contracts, and what their pages cost in a browser: for a test and for `cargo bench -p cargo-twyla --bench pages`.

use std::fs;
use std::path::Path;

use serde_json::json;
use twyla_browser::{Browser, Error};

const WORDS: [&str; 16] = [
    "account", "address", "amount", "batch", "channel", "city", "code", "comment", "contact", "country", "device",
    "language", "level", "owner", "price", "region",
];

/// Writes them below `schemas`, twenty to a domain, each with eight fields: the same ones each time.
pub(crate) fn write(folder: &Path) -> std::io::Result<()> {
    let schemas = folder.join("schemas");
    fs::create_dir_all(&schemas)?;
    let context = json!({ "type": "object", "properties": { "tenant": { "type": "string" } } });
    fs::write(schemas.join("context.json"), context.to_string())?;
    for index in 0..1000_usize {
        let word = |at: usize| WORDS[(index / 7 + at * 5 + at * index) % WORDS.len()];
        let mut properties = serde_json::Map::new();
        for at in 0..8 {
            let description = format!("The {} of the {}, as the {} has it.", word(at), word(at + 1), word(at + 2));
            let schema = match at % 4 {
                0 => json!({ "description": description, "type": "integer", "minimum": 0, "maximum": 1000 * at }),
                1 => {
                    json!({ "description": description, "type": "array", "items": { "type": "string", "minLength": 1 } })
                }
                _ => json!({ "description": description, "type": "string", "minLength": 1, "maxLength": 40 + at }),
            };
            properties.insert(format!("{}_{}", word(at), word(at + 3)), schema);
        }
        let description = format!("The {} of a {} has changed in its {}.", word(0), word(1), word(2));
        let schema =
            json!({ "title": word(0), "description": description, "type": "object", "properties": properties });
        let domain = schemas.join(format!("events/domain{}", index / 20));
        fs::create_dir_all(&domain)?;
        fs::write(domain.join(format!("{}_{}_{index}.json", word(0), word(1))), format!("{schema:#}"))?;
    }
    Ok(())
}

/// What was measured.
#[derive(Debug)]
#[cfg_attr(test, allow(dead_code, reason = "a test prints all of it"))]
pub(crate) struct Figures {
    /// The first page with all that it loads, in bytes.
    pub(crate) first_page: u64,
    /// The list that a search loads, in bytes.
    pub(crate) list: u64,
    /// From the focus in the field until the list is there, in milliseconds.
    pub(crate) loaded: f64,
    /// From a key to the answer laid out, in milliseconds: the one in the middle and the slowest, of so many.
    pub(crate) median: f64,
    pub(crate) slowest: f64,
    pub(crate) answers: u64,
    /// What was found in all.
    pub(crate) found: u64,
    /// What the console has.
    pub(crate) complaints: Vec<String>,
}

const MEASURE: &str = r"
(async () => {
  const q = document.getElementById('q');
  const begun = performance.now();
  q.focus();
  await new Promise((done) => { const look = () => window.twylaIndex ? done() : setTimeout(look, 1); look(); });
  const loaded = performance.now() - begun;
  await new Promise((done) => setTimeout(done, 100));
  const times = [];
  let found = 0;
  for (let i = 0; i < 100; i += 1) {
    for (const text of ['a', 'pri', 'domain4', 'price owner', `account_${i}`, 'no such thing', 'region changed']) {
      q.value = text;
      const at = performance.now();
      q.dispatchEvent(new Event('input', { bubbles: true }));
      document.getElementById('found').getBoundingClientRect(); // and laid out
      times.push(performance.now() - at);
      found += document.querySelectorAll('#found [role=option]').length;
    }
  }
  times.sort((a, b) => a - b);
  return { loaded, median: times[times.length >> 1], slowest: times.at(-1), answers: times.length, found };
})()";

/// Opens the first page of a site and searches.
pub(crate) fn measure(browser: &mut Browser, site: &Path) -> Result<Figures, Error> {
    let site = site.canonicalize()?;
    let mut tab = browser.tab(1200, 900)?;
    tab.open_file(&site.join("index.html"))?;
    let seen = tab.seen()?;
    let mut first_page = 0;
    for request in &seen.requests {
        let path = request.strip_prefix("file://").ok_or_else(|| format!("{request} is outside"))?;
        first_page += fs::metadata(path)?.len();
    }
    let measured = tab.eval(MEASURE)?;
    let number = |name: &str| measured[name].as_f64().ok_or_else(|| format!("{name}: {measured}"));
    let mut complaints = seen.complaints;
    complaints.extend(tab.seen()?.complaints);
    Ok(Figures {
        first_page,
        list: fs::metadata(site.join("search.js"))?.len(),
        loaded: number("loaded")?,
        median: number("median")?,
        slowest: number("slowest")?,
        answers: number("answers")? as u64,
        found: number("found")? as u64,
        complaints,
    })
}
