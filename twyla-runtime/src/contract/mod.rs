//! Events on the wire: the envelope, and the session that they belong to.

pub(crate) mod envelope;
pub(crate) mod session;
