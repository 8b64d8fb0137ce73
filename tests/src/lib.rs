//! twyla-tests
