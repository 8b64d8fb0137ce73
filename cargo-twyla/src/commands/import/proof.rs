//! Proves that a contract accepts exactly what its original file accepted: compares both in both directions.

use std::collections::BTreeSet;

use twyla_build::compare::{self, Bundle, ContractSchema, Options, Verdict};
use twyla_build::{Draft, Problems};

use super::loose::Loose;
use super::references::{Resources, Target};
use crate::support::json::Json;
use crate::support::uri::relative;

/// The budget of a comparison. A folder may have thousands of contracts; a longer comparison stays undecided.
const BUDGET: u64 = 400_000;

/// The result of comparing a contract with its original file.
#[derive(Debug)]
pub(super) enum Proof {
    /// The contract and the file accept the same values.
    Same,
    /// The contract or the file accepts a value that the other refuses. The text is a message with this value.
    Differs(String),
    /// Undecided, for this reason.
    Undecided(String),
}

/// The draft that a custom `$schema` stands for.
pub(super) type Dialect<'a> = Box<dyn Fn(&str) -> Option<Draft> + 'a>;

/// The original files, with all that a proof needs to read them.
pub(super) struct Sources<'a> {
    pub(super) files: &'a [Loose],
    pub(super) resources: Resources<'a>,
    /// The documents that the original files refer to, by their URIs.
    pub(super) documents: Vec<(String, Json)>,
    pub(super) dialect: Dialect<'a>,
}

impl Sources<'_> {
    /// Compares a contract with the file that it was made of.
    pub(super) fn proof(&self, path: &str, contract: &ContractSchema) -> Proof {
        let Some(file) = self.files.iter().position(|it| it.path == path) else {
            return Proof::Undecided("its file no longer exists".to_owned());
        };
        let source = match self.bundle(file).or_else(|_| self.read_by_path(file)) {
            Ok(source) => source,
            Err(problems) => return Proof::Undecided(format!("its source can't be read by itself: {problems}")),
        };
        let source = source.formats(contract.bundle.asserts_formats());
        let options = Options { budget: BUDGET, ..Options::subsumption() };
        for (from, to, words) in [
            (&source, &contract.bundle, "the contract refuses a value that its file accepted"),
            (&contract.bundle, &source, "the contract accepts a value that its file refused"),
        ] {
            match compare::compare(from, to, &options) {
                Verdict::Fits => {}
                Verdict::Breaks(witness) => {
                    return Proof::Differs(format!("{words}: {}: {}", witness.event, witness.rule));
                }
                Verdict::Undecided(why) => return Proof::Undecided(why.to_string()),
            }
        }
        Proof::Same
    }

    /// Returns the bundle of a file and everything that it refers to, with references resolved as JSON Schema requires.
    fn bundle(&self, file: usize) -> Result<Bundle, Problems> {
        self.made(file, |file| self.files[file].json.clone())
    }

    /// Returns a file's bundle with references resolved by path, even if an `$id` says otherwise, as the import resolves
    /// them.
    fn read_by_path(&self, file: usize) -> Result<Bundle, Problems> {
        self.made(file, |file| {
            let from = &self.files[file].path;
            self.resources.rewritten(file, &mut |place| {
                let to = &self.files[place.file].path;
                let fragment = super::references::fragment(&place.pointer);
                if to == from { fragment } else { relative(from, to) + &fragment }
            })
        })
    }

    fn made(&self, file: usize, text: impl Fn(usize) -> Json) -> Result<Bundle, Problems> {
        let mut reached = BTreeSet::from([file]);
        let mut open = vec![file];
        while let Some(file) = open.pop() {
            for (_, target) in self.resources.references(file) {
                if let Target::Found(place) = target
                    && reached.insert(place.file)
                {
                    open.push(place.file);
                }
            }
        }
        let named = |json: Json| {
            let mut json = json;
            json.each_schema(&mut |members| {
                let uri = members.iter_mut().find(|(name, _)| name == "$schema").map(|(_, value)| value);
                if let Some(value) = uri
                    && let Some(draft) = value.str().and_then(|uri| (self.dialect)(uri))
                {
                    *value = Json::String(draft.uri().to_owned());
                }
            });
            json
        };
        let files = reached.into_iter().map(|file| (self.files[file].path.clone(), named(text(file))));
        let documents = self.documents.iter().map(|(uri, json)| (uri.clone(), named(json.clone())));
        let bundle = Json::Object(vec![
            ("draft".to_owned(), Json::String(Draft::default().name().to_owned())),
            ("formats".to_owned(), Json::Bool(true)),
            ("root".to_owned(), Json::String(self.files[file].path.clone())),
            ("documents".to_owned(), Json::Object(files.chain(documents).collect())),
        ]);
        Bundle::parse(&bundle.line())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares a contract with the schema `contract` with a file that has the schema `file`.
    fn said(file: &str, contract: &str) -> Proof {
        let files = [Loose { path: "shop/paid.json".to_owned(), json: Json::parse(file).unwrap(), text: None }];
        let folder = tempfile::tempdir().unwrap();
        crate::support::output::write(&folder.path().join("context.json"), "{}").unwrap();
        crate::support::output::write(&folder.path().join("events/shop/paid.json"), contract).unwrap();
        let contracts = twyla_build::Builder::new(folder.path()).contracts().unwrap();
        let contract = contracts.contract(compare::ContractKind::Event, "shop.paid").unwrap();
        let resources = Resources::of(&files);
        let sources = Sources { files: &files, resources, documents: Vec::new(), dialect: Box::new(|_| None) };
        sources.proof("shop/paid.json", contract)
    }

    #[test]
    fn a_contract_that_takes_less_or_more_than_its_file_differs() {
        let schema = |maximum: u32| {
            format!(r#"{{ "type": "object", "properties": {{ "a": {{ "type": "integer", "maximum": {maximum} }} }} }}"#)
        };
        assert!(matches!(said(&schema(5), &schema(5)), Proof::Same));
        let less = said(&schema(6), &schema(5));
        assert!(
            matches!(&less, Proof::Differs(how) if how.starts_with("the contract refuses a value that its file accepted: {\"a\":6}")),
            "{less:?}"
        );
        let more = said(&schema(5), &schema(6));
        assert!(
            matches!(&more, Proof::Differs(how) if how.starts_with("the contract accepts a value that its file refused: {\"a\":6}")),
            "{more:?}"
        );
    }

    #[test]
    fn a_file_is_read_by_path_where_its_name_says_otherwise() {
        let file = r##"{ "$id": "https://example.com/a/b", "properties": { "a": { "$ref": "#/$defs/a" } }, "$defs": { "a": { "type": "null" } } }"##;
        assert!(matches!(said(file, r#"{ "properties": { "a": { "type": "null" } } }"#), Proof::Same));
    }
}
