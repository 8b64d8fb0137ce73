//! The lock: its file, what is found when contracts are held against it, and how the next one is made.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod accept;
mod against;
mod file;
mod findings;
mod folder;
mod histories;
mod waivers;
