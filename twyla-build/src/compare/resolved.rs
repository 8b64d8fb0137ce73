//! A contract with its schemas resolved, once for all comparisons.

use std::cell::OnceCell;

use super::bundle::Bundle;
use super::verdict::Mode;
use super::witness::{SharedSchemas, WitnessCheck};

/// A contract whose schemas are resolved when a comparison needs them, and only once.
///
/// Use it only on a stack of [`stack::large`](crate::stack::large).
pub(crate) struct Resolved {
    pub(super) bundle: Bundle,
    pub(super) mode: Mode,
    shared: Option<SharedSchemas>,
    check: OnceCell<WitnessCheck>,
}

impl Resolved {
    pub(crate) fn new(bundle: &Bundle, mode: Mode) -> Self {
        Self { bundle: bundle.clone(), mode, shared: None, check: OnceCell::new() }
    }

    /// Prepares a contract to be compared as its generated types send and read it.
    pub(crate) fn contract(bundle: &Bundle) -> Self {
        Self::new(bundle, Mode::Contract)
    }

    /// Returns the contract.
    pub(crate) fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Returns whether the contract's schemas were resolved together with those of other contracts.
    #[cfg(test)]
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    pub(super) fn check(&self) -> &WitnessCheck {
        self.check.get_or_init(|| match &self.shared {
            Some(shared) => WitnessCheck::of_shared(shared),
            None => WitnessCheck::new(&self.bundle, self.mode),
        })
    }
}

/// A contract that can be compared on any thread.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(super) bundle: Bundle,
    /// `None` if the contract is resolved alone.
    pub(super) schemas: Option<SharedSchemas>,
}

impl Shared {
    /// Returns the contract.
    pub(crate) fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Returns the contract for comparisons on this thread.
    pub(crate) fn resolved(&self) -> Resolved {
        Resolved { shared: self.schemas.clone(), ..Resolved::contract(&self.bundle) }
    }
}
