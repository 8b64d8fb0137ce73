//! What is wrong with a struct that is bound to a contract.
