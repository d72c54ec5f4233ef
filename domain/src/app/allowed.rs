//! What somebody may do to an app and to its versions now, input aside.
//!
//! Each action is decided with a command as good as its input can be: about the submission that is current, with another
//! package, listing or category than there is, with a number that is free.

use super::{Action, App, Authority, Command, Package, Panel, command::Seen, decide::decide};
use crate::{
    access::{Place, Principal},
    allowed::{Allowed, Verdict},
    decider::Stamp,
    digest::{Digest, Sealed},
    ids::{AccountId, CategoryId, SubmissionId, WorkspaceId},
    permission::Permission,
    review_policy::ReviewPolicy,
    version_number::VersionNumber,
};

/// Whoever asks what they may do, and when.
#[derive(Debug, Clone)]
pub struct Asker<'a> {
    pub principal: &'a Principal,
    pub panel: Panel,
    pub stamp: Stamp,
}

impl Authority {
    /// In whose name somebody suspends, resumes or assigns: whoever may act for the store, does; others act as owners.
    #[must_use]
    pub fn of(principal: &Principal, for_the_store: Permission) -> Self {
        if principal.may(for_the_store, Place::Platform) {
            Self::Store
        } else {
            Self::Owner
        }
    }
}

impl Panel {
    /// With everybody whose claim on a review of `app` ended with their rights.
    #[must_use]
    pub fn without(mut self, app: &App, may_review: impl Fn(AccountId) -> bool) -> Self {
        self.dismissed
            .extend(app.reviewers().filter(|reviewer| !may_review(*reviewer)));
        self
    }
}

impl App {
    /// Every action on the app and its listing.
    #[must_use]
    pub fn allowed(&self, asker: &Asker<'_>) -> Vec<Allowed> {
        let commands = self.app_commands(asker.principal).into_iter();
        commands
            .map(|(action, command)| Allowed {
                action,
                verdict: self.judge(command, asker),
            })
            .collect()
    }

    /// Every action on one of its versions.
    #[must_use]
    pub fn allowed_on(&self, version: &VersionNumber, asker: &Asker<'_>) -> Vec<Allowed> {
        let judged = |action: &Action| Allowed {
            action: action.as_str(),
            verdict: self.judge(self.version_command(*action, version, asker.principal), asker),
        };
        Action::ALL.iter().map(judged).collect()
    }

    /// As on the command path: first whether they may at all, then whether it can be.
    fn judge(&self, command: Command, asker: &Asker<'_>) -> Verdict {
        let permission = command.permission();
        let command = command.given_by(asker.panel.clone());
        Verdict::of(
            asker.principal,
            permission,
            Place::of(permission, self.workspace),
            || decide(Some(self), command, asker.stamp),
        )
    }

    fn version_command(&self, action: Action, version: &VersionNumber, principal: &Principal) -> Command {
        let (number, seen, panel) = (version.clone(), self.fresh_look(version), Panel::default());
        match action {
            Action::ReplacePackage => Command::ReplacePackage {
                version: number.clone(),
                chart: self.chart.clone(),
                number,
                package: other_package(self.versions.get(version).map(|version| &version.package)),
            },
            Action::Submit => Command::SubmitVersion {
                version: number,
                submission: fresh_submission(),
                policy: blank(),
                review: ReviewPolicy::default(),
            },
            Action::Withdraw => Command::WithdrawVersion { version: number },
            Action::StartReview => Command::StartReview { version: number, panel },
            Action::ReleaseReview => Command::ReleaseReview { version: number, panel },
            Action::Approve => Command::ApproveVersion {
                version: number,
                seen,
                panel,
            },
            Action::Reject => Command::RejectVersion {
                version: number,
                seen,
                reason: some_reason(),
                panel,
            },
            Action::Publish => Command::PublishVersion { version: number },
            Action::Suspend => Command::SuspendVersion {
                version: number,
                authority: Authority::of(principal, Permission::StoreSuspend),
                reason: None,
            },
            Action::Resume => Command::ResumeVersion {
                version: number,
                authority: Authority::of(principal, Permission::StoreResume),
            },
            Action::Delete => Command::DeleteVersion { version: number },
        }
    }

    fn app_commands(&self, principal: &Principal) -> Vec<(&'static str, Command)> {
        let listing = other(self.listing.draft);
        let mut commands = vec![
            ("editListing", Command::EditListing { listing }),
            ("setIcon", Command::SetIcon { icon: blank(), listing }),
            (
                "assignCategory",
                Command::AssignCategory {
                    category: another_category(self.category),
                    authority: Authority::of(principal, Permission::CategoryAssign),
                },
            ),
            (
                "suspendApp",
                Command::SuspendApp {
                    authority: Authority::of(principal, Permission::StoreSuspend),
                    reason: None,
                },
            ),
            (
                "resumeApp",
                Command::ResumeApp {
                    authority: Authority::of(principal, Permission::StoreResume),
                },
            ),
            (
                "moveApp",
                Command::MoveApp {
                    workspace: WorkspaceId::from_uuid(uuid::Uuid::nil()),
                },
            ),
            ("deleteApp", Command::DeleteApp),
        ];
        commands.extend(self.upload_command());
        commands.extend(self.listing_commands());
        commands
    }

    fn upload_command(&self) -> Option<(&'static str, Command)> {
        // One of more numbers than there are versions is free.
        let numbers = (0..=self.versions.len()).filter_map(|n| format!("0.0.0-{n}").parse().ok());
        let version = numbers.into_iter().find(|number| !self.versions.contains_key(number))?;
        let upload = Command::UploadVersion {
            chart: self.chart.clone(),
            version,
            package: other_package(None),
        };
        Some(("uploadVersion", upload))
    }

    fn listing_commands(&self) -> [(&'static str, Command); 6] {
        let panel = Panel::default;
        let open = self.listing.review.as_ref().map(|open| open.submission);
        let submission = open.map_or_else(fresh_submission, |open| open.id);
        let listing = open.map_or_else(blank, |open| open.listing);
        let submit = Command::SubmitListing {
            submission: fresh_submission(),
            policy: blank(),
            review: ReviewPolicy::default(),
        };
        let approve = Command::ApproveListing {
            submission,
            listing,
            panel: panel(),
        };
        let reject = Command::RejectListing {
            submission,
            listing,
            reason: some_reason(),
            panel: panel(),
        };
        [
            ("submitListing", submit),
            ("withdrawListing", Command::WithdrawListing),
            ("startListingReview", Command::StartListingReview { panel: panel() }),
            ("releaseListingReview", Command::ReleaseListingReview { panel: panel() }),
            ("approveListing", approve),
            ("rejectListing", reject),
        ]
    }

    /// What a reviewer has read who looks now.
    fn fresh_look(&self, version: &VersionNumber) -> Seen {
        let current = self.version(version).and_then(|version| version.stage.submission());
        Seen {
            submission: current.map_or_else(fresh_submission, |current| current.id),
            package: current.map_or_else(blank, |current| current.package),
            listing: current.map_or_else(blank, |current| current.listing),
        }
    }
}

const fn blank() -> Digest {
    Digest::from_bytes([0; 32])
}

/// A digest that is not this one.
fn other(digest: Digest) -> Digest {
    let mut bytes = *digest.as_bytes();
    bytes[0] = !bytes[0];
    Digest::from_bytes(bytes)
}

fn other_package(package: Option<&Package>) -> Package {
    Package {
        digest: package.map_or_else(blank, |package| other(package.digest)),
        chart: blank(),
        size: "0".to_owned(),
    }
}

fn fresh_submission() -> SubmissionId {
    SubmissionId::from_uuid(uuid::Uuid::nil())
}

fn some_reason() -> Sealed {
    Sealed {
        subject: String::new(),
        digest: blank(),
    }
}

/// A category that is not this one.
fn another_category(category: Option<CategoryId>) -> Option<CategoryId> {
    let some = CategoryId::from_uuid(uuid::Uuid::nil());
    (category != Some(some)).then_some(some)
}
