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
#[path = "../serve/lab.rs"]
#[allow(dead_code, reason = "the tests of the listeners ask more of it")]
mod lab;
mod page;
mod signed_in;
mod tree;
