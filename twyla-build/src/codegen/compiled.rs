//! Generates the contract records that a program embeds (`twyla_contract::record`).

use std::collections::HashMap;

use proc_macro2::Literal;
use twyla_contract::record;

use crate::compare::{self, ContractKind};
use crate::schema::schemas::Schemas;

/// The contracts that a program embeds: their digests, and their forms as text.
pub(crate) struct Compiled(HashMap<(ContractKind, String), (String, String)>);

impl Compiled {
    pub(crate) fn all(schemas: &Schemas) -> Self {
        let contracts = compare::contracts(schemas, Vec::new()).contracts.into_iter();
        Self(contracts.map(|it| ((it.kind, it.name), (it.bundle.digest(), it.bundle.to_string()))).collect())
    }

    /// Returns the digest of a contract.
    pub(crate) fn digest(&self, kind: ContractKind, name: &str) -> &str {
        self.0.get(&(kind, name.to_owned())).map_or("", |(digest, _)| digest)
    }

    /// Returns the record of a contract: its header, and the form.
    pub(crate) fn record(&self, kind: ContractKind, name: &str) -> (String, Literal) {
        let (digest, form) = self.0.get(&(kind, name.to_owned())).map_or(("", ""), |(digest, form)| (digest, form));
        let begins = format!("schema\t{digest}\t");
        (record::head(&format!("{begins}{form}")) + &begins, raw(form))
    }

    /// Returns the record of an action. Its kind is the first field.
    pub(crate) fn action(fields: &[&str]) -> String {
        let text = fields.join("\t");
        record::head(&text) + &text
    }
}

/// Returns a text as a readable literal: a raw string, unless it contains a carriage return.
fn raw(text: &str) -> Literal {
    let longest = text.split('"').skip(1).map(|part| part.len() - part.trim_start_matches('#').len()).max();
    let hashes = "#".repeat(longest.map_or(0, |longest| longest + 1));
    let raw = format!("r{hashes}\"{text}\"{hashes}").parse().ok().filter(|_| !text.contains('\r'));
    raw.unwrap_or_else(|| Literal::string(text))
}
