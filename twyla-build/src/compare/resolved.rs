//! A contract with its schemas resolved, once for all comparisons with it.

use std::cell::OnceCell;

use super::bundle::Bundle;
use super::verdict::Mode;
use super::witness::WitnessCheck;

/// A contract whose schemas are resolved when a comparison needs them, and only once.
///
/// It is used on a stack of [`stack::large`](crate::stack::large).
pub(crate) struct Resolved {
    pub(super) bundle: Bundle,
    pub(super) mode: Mode,
    check: OnceCell<WitnessCheck>,
}

impl Resolved {
    pub(crate) fn new(bundle: &Bundle, mode: Mode) -> Self {
        Self { bundle: bundle.clone(), mode, check: OnceCell::new() }
    }

    /// Prepares a contract to be compared as its generated types send and read it.
    pub(crate) fn contract(bundle: &Bundle) -> Self {
        Self::new(bundle, Mode::Contract)
    }

    /// Returns the contract.
    pub(crate) fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    pub(super) fn check(&self) -> &WitnessCheck {
        self.check.get_or_init(|| WitnessCheck::new(&self.bundle, self.mode))
    }
}
