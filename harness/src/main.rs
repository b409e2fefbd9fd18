//! The lab controller's program. Everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::cli::main()
}
