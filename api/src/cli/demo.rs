//! placeholder
use clap::Args;
#[derive(Debug, Args)]
pub struct Demo {}
impl Demo { pub async fn run(self) -> Result<std::process::ExitCode, Box<dyn std::error::Error>> { Ok(std::process::ExitCode::SUCCESS) } }
