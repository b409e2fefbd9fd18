//! What a witness sees in a browser: Chromium opens the page of a run, and what must hold is asked of it there.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failing test's panic is its message"
)]

mod bench;
mod browser;
mod engineer;
mod page;
mod tree;
