//! A schema with all that it refers to in one text, as programs and manifests carry it (`twyla_build::compare::Bundle`).

use jsonschema::{Draft, Registry};
use referencing::{RegistryBuilder, SPECIFICATIONS};
use serde_json::Value;

use crate::Contract;

/// What the names of a bundle's documents begin with, where they are resources.
const ROOT: &str = "twyla:///";

/// A schema with all that it refers to.
#[derive(Debug)]
pub struct Bundle {
    registry: Registry<'static>,
    uri: String,
    formats: bool,
    /// The formats that are rules though the draft lacks them.
    asserted: Vec<String>,
}

impl Bundle {
    /// Opens the text of a bundle.
    ///
    /// # Errors
    /// Words, where it is none.
    pub fn open(text: &str) -> Result<Self, String> {
        let bundle: Value = serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"))?;
        let word = |name: &str| bundle.get(name).and_then(Value::as_str).ok_or_else(|| format!("has no `{name}`"));
        let default = match word("draft")? {
            "4" => Draft::Draft4,
            "6" => Draft::Draft6,
            "7" => Draft::Draft7,
            "2019-09" => Draft::Draft201909,
            _ => Draft::Draft202012,
        };
        let documents = bundle.get("documents").and_then(Value::as_object).ok_or("has no `documents`")?;
        let mut resources = Vec::new();
        for (name, document) in documents {
            // what is nested very deep is a text in the text
            let document = match document {
                Value::String(text) => serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"))?,
                document => document.clone(),
            };
            let resource = default.detect(&document).create_resource(document);
            resources.push((resource_uri(name), resource));
        }
        let registry = SPECIFICATIONS.extend(resources).and_then(RegistryBuilder::prepare);
        let registry = registry.map_err(|error| error.to_string())?;
        let formats = bundle.get("formats").and_then(Value::as_bool).unwrap_or(true);
        let asserted = bundle.get("asserted").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let asserted = asserted.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(Self { registry, uri: resource_uri(word("root")?), formats, asserted })
    }

    /// The contract that it is.
    ///
    /// # Errors
    /// Words, where its schema is none.
    pub fn contract(&self) -> Result<Contract<'_>, String> {
        let asserted = self.asserted.iter().map(String::as_str);
        let contract = Contract::asserting(&self.registry, self.uri.clone(), ROOT, self.formats, asserted);
        let document = self.uri.strip_prefix(ROOT).unwrap_or_default();
        let is_response = document.starts_with("rpc/") && document.ends_with("/response.json");
        let is_contract = ["events/", "rpc/", "context.json"].iter().any(|begin| document.starts_with(begin));
        let contract = contract.map_err(|error| error.to_string())?;
        Ok(contract.objects(is_contract && !is_response))
    }
}

/// The name of a document as a URI; one that is a URI stays as it is.
fn resource_uri(name: &str) -> String {
    if name.contains("://") || name.starts_with("urn:") {
        return name.to_owned();
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let path: String = name
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("{ROOT}{path}")
}
