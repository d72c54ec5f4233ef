//! The `charthouse` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    api::run()
}
