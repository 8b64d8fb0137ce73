//! twyla-macros
