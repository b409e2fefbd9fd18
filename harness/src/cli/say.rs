//! Words on standard output and standard error.
//!
//! A reader that goes away (`harness run | head`) must not end a run: what cannot be said is not said, and the records are
//! what counts. `print!` would panic there.

/// A line on standard output.
macro_rules! say {
    ($($word:tt)*) => {{
        use std::io::Write as _;
        // Nobody listens any more: see the module.
        let _ = writeln!(std::io::stdout().lock(), $($word)*);
    }};
}

/// Text on standard output, as it stands.
macro_rules! say_text {
    ($($word:tt)*) => {{
        use std::io::Write as _;
        let mut out = std::io::stdout().lock();
        let _ = write!(out, $($word)*).and_then(|()| out.flush());
    }};
}

/// Text on standard error, as it stands.
macro_rules! complain {
    ($($word:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stderr().lock(), $($word)*);
    }};
}

pub(super) use {complain, say, say_text};
