//! The command line.

mod admin;
mod backup;
mod demo;
mod explain;
mod export;
mod moment;
mod offline;
mod rebuild;
mod replay;
mod serve;
mod table;
mod verify;

use std::{error::Error, io, process::ExitCode};

use clap::{Parser, Subcommand};

/// An app store for Helm charts: upload, review, publish, install, upgrade; every action a fact in a log that cannot
/// be altered.
#[derive(Debug, Parser)]
#[command(name = "charthouse", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Play the whole life of a Redis app on an empty data folder, and leave the server running
    Demo(demo::Demo),
    /// Make the first accounts, roles, workspaces, projects and tokens; works beside a running server too
    Admin(admin::Admin),
    /// Write review decisions to a file, as evidence; works beside a running server too
    Export(export::Export),
    /// Find out, offline, whether a log was altered
    Verify(verify::Verify),
    /// Copy the log and the blobs into a folder, beside a running server too; the keys are not in it
    Backup(backup::Backup),
    /// Restore a backup into an empty place, and check every hash on the way
    Restore(backup::Restore),
    /// Show any view as it was at any moment, or what changed between two; reads the log, also of a running server
    Replay(replay::Replay),
    /// Tell the facts that led a version to where it is, and why the store shows it or not
    Explain(explain::Explain),
    /// Compute the views again from the log, beside those in use; or check that they agree with it
    Rebuild(rebuild::Rebuild),
    /// Print the GraphQL schema
    Schema,
}

/// Runs what the command line asks for.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    start_logging(matches!(cli.command, Command::Serve(_)));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Serve(serve) => serve.run().await.map(|()| ExitCode::SUCCESS),
            Command::Demo(demo) => demo.run().await,
            Command::Admin(admin) => admin.run().await.map(|()| ExitCode::SUCCESS),
            Command::Export(export) => export.run().await.map(|()| ExitCode::SUCCESS),
            Command::Verify(verify) => Ok(verify.run().await),
            Command::Backup(backup) => backup.run().await,
            Command::Restore(restore) => restore.run().await,
            Command::Replay(replay) => replay.run().await.map(|()| ExitCode::SUCCESS),
            Command::Explain(explain) => explain.run().await.map(|()| ExitCode::SUCCESS),
            Command::Rebuild(rebuild) => rebuild.run().await,
            Command::Schema => {
                print!("{}", crate::graphql::sdl());
                Ok(ExitCode::SUCCESS)
            }
        }
    });
    outcome.unwrap_or_else(|error| match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        // Whoever read what was printed has seen enough.
        Some(io::ErrorKind::BrokenPipe) => ExitCode::SUCCESS,
        _ => failed(error.as_ref()),
    })
}

/// An error and its causes, for whoever sits at the terminal.
fn failed(error: &(dyn Error + 'static)) -> ExitCode {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}

/// `RUST_LOG` says what is logged, to standard error. The server tells of its work; other commands only of trouble.
fn start_logging(is_server: bool) {
    let default = if is_server { "info" } else { "error" };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| default.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
