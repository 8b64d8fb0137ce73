//! twyla-build
