//! A schema with all that it refers to in one text, as programs and manifests carry it (`twyla_build::compare::Bundle`).

use twyla_build::compare::{self, SchemaPath, SchemaSet};

use crate::Contract;

/// A schema with all that it refers to.
#[derive(Debug)]
pub struct Bundle {
    bundle: compare::Bundle,
    schemas: SchemaSet,
}

impl Bundle {
    /// Parses the text of a bundle.
    ///
    /// # Errors
    /// A message if it isn't a bundle.
    pub fn open(text: &str) -> Result<Self, String> {
        let bundle = compare::Bundle::parse(text).map_err(|problems| problems.to_string())?;
        let schemas = SchemaSet::of(&bundle).map_err(|error| format!("a thread can't be started: {error}"))?;
        Ok(Self { bundle, schemas })
    }

    /// Returns the bundle's contract.
    ///
    /// # Errors
    /// A message if its schema can't be evaluated.
    pub fn contract(&self) -> Result<Contract<'_>, String> {
        let document = self.bundle.root();
        let is_response = document.starts_with("rpc/") && document.ends_with("/response.json");
        let is_contract = ["events/", "rpc/", "context.json"].iter().any(|begin| document.starts_with(begin));
        let root = SchemaPath { document: document.to_owned(), pointer: String::new() };
        let root = self.schemas.schema(&root).ok_or("the bundle has no schema for its root document")?;
        let contract = Contract::new(root, &self.bundle);
        let contract = contract.map_err(|error| format!("a thread can't be started: {error}"))?;
        Ok(contract.objects(is_contract && !is_response))
    }
}
