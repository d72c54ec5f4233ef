//! Every command, about version 11.3.4 and as fresh as a client's page can be.

use crate::app::{Authority, Command, tests::fixtures::*};

/// Each command under the name clients know it by, in the order of an app's life.
pub(crate) fn every_command() -> Vec<(&'static str, Command)> {
    let commands = about_packages_and_listing()
        .into_iter()
        .chain(about_a_version())
        .chain(about_the_listing_and_the_app());
    commands.map(|command| (name(&command), command)).collect()
}

fn about_packages_and_listing() -> Vec<Command> {
    vec![
        Command::Upload {
            workspace: workspace(),
            chart: redis(),
            listing: listing(7),
            version: first(),
            package: package(7),
        },
        Command::UploadVersion {
            chart: redis(),
            version: first(),
            package: package(7),
        },
        Command::ReplacePackage {
            version: first(),
            chart: redis(),
            number: first(),
            package: package(7),
        },
        Command::EditListing { listing: listing(7) },
        Command::SetIcon {
            icon: package(8).digest,
            listing: listing(8),
        },
        assign(Authority::Owner),
        assign(Authority::Store),
    ]
}

pub(super) fn about_a_version() -> Vec<Command> {
    vec![
        submit(first(), 7),
        Command::WithdrawVersion { version: first() },
        start_review(),
        Command::ReleaseReview {
            version: first(),
            panel: panel(),
        },
        approve(seen(1)),
        reject(seen(1)),
        publish(first()),
        suspend_version(Authority::Owner),
        suspend_version(Authority::Store),
        resume_version(Authority::Owner),
        resume_version(Authority::Store),
        Command::DeleteVersion { version: first() },
    ]
}

fn about_the_listing_and_the_app() -> Vec<Command> {
    vec![
        Command::SubmitListing {
            submission: submission(7),
            policy: policy(),
            review: default_policy(),
        },
        Command::WithdrawListing,
        Command::StartListingReview { panel: panel() },
        Command::ReleaseListingReview { panel: panel() },
        Command::ApproveListing {
            submission: submission(9),
            listing: listing(2),
            panel: panel(),
        },
        Command::RejectListing {
            submission: submission(9),
            listing: listing(2),
            reason: reason(),
            panel: panel(),
        },
        suspend_app(Authority::Owner),
        suspend_app(Authority::Store),
        Command::ResumeApp {
            authority: Authority::Owner,
        },
        Command::ResumeApp {
            authority: Authority::Store,
        },
        Command::MoveApp { workspace: elsewhere() },
        Command::DeleteApp,
    ]
}

fn assign(authority: Authority) -> Command {
    Command::AssignCategory {
        category: Some(category()),
        authority,
    }
}

fn suspend_version(authority: Authority) -> Command {
    Command::SuspendVersion {
        version: first(),
        authority,
        reason: None,
    }
}

fn resume_version(authority: Authority) -> Command {
    Command::ResumeVersion {
        version: first(),
        authority,
    }
}

fn suspend_app(authority: Authority) -> Command {
    Command::SuspendApp {
        authority,
        reason: None,
    }
}

/// A new command fails to compile here: it belongs into a list above too.
pub(super) const fn name(command: &Command) -> &'static str {
    match command {
        Command::Upload { .. } => "uploadApp",
        Command::UploadVersion { .. } => "uploadVersion",
        Command::ReplacePackage { .. } => "replacePackage",
        Command::EditListing { .. } => "editListing",
        Command::SetIcon { .. } => "setIcon",
        Command::AssignCategory { authority, .. } => match authority {
            Authority::Owner => "assignCategory (owner)",
            Authority::Store => "assignCategory (store)",
        },
        Command::SubmitVersion { .. } => "submitVersion",
        Command::WithdrawVersion { .. } => "withdrawVersion",
        Command::StartReview { .. } => "startReview",
        Command::ReleaseReview { .. } => "releaseReview",
        Command::ApproveVersion { .. } => "approveVersion",
        Command::RejectVersion { .. } => "rejectVersion",
        Command::PublishVersion { .. } => "publishVersion",
        Command::SuspendVersion { authority, .. } => match authority {
            Authority::Owner => "suspendVersion (owner)",
            Authority::Store => "suspendVersion (store)",
        },
        Command::ResumeVersion { authority, .. } => match authority {
            Authority::Owner => "resumeVersion (owner)",
            Authority::Store => "resumeVersion (store)",
        },
        Command::DeleteVersion { .. } => "deleteVersion",
        Command::SubmitListing { .. } => "submitListing",
        Command::WithdrawListing => "withdrawListing",
        Command::StartListingReview { .. } => "startListingReview",
        Command::ReleaseListingReview { .. } => "releaseListingReview",
        Command::ApproveListing { .. } => "approveListing",
        Command::RejectListing { .. } => "rejectListing",
        Command::SuspendApp { authority, .. } => match authority {
            Authority::Owner => "suspendApp (owner)",
            Authority::Store => "suspendApp (store)",
        },
        Command::ResumeApp { authority } => match authority {
            Authority::Owner => "resumeApp (owner)",
            Authority::Store => "resumeApp (store)",
        },
        Command::MoveApp { .. } => "moveApp",
        Command::DeleteApp => "deleteApp",
    }
}
