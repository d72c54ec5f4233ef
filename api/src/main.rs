//! The `charthouse` program.

use std::process::ExitCode;

/// A good part of replays and answers is memory that one thread takes and another gives back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    api::run()
}
