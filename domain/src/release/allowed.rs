//! What somebody may do to a release now, input aside.

use super::{Command, Deployment, Release};
use crate::{
    access::{Place, Principal},
    allowed::{Allowed, Verdict},
    decider::{Decider, Stamp},
    digest::{Digest, Sealed},
    permission::Permission,
};

impl Release {
    /// Every action on a release in `place`. An upgrade is asked about with other values than it has, for to which
    /// versions it may go depends on the app; a rollback to the revision before, or after a failure to what runs.
    #[must_use]
    pub fn allowed(state: &Option<Self>, principal: &Principal, place: Place, stamp: Stamp) -> Vec<Allowed> {
        let Some(release) = state else { return vec![] };
        let judged = |(action, command): (&'static str, Command)| {
            let permission = command.permission(Some(release)).unwrap_or(Permission::ReleaseView);
            Allowed {
                action,
                verdict: Verdict::of(principal, permission, place, || Self::decide(state, command, stamp)),
            }
        };
        release.actions().into_iter().map(judged).collect()
    }

    /// What a user can ask of it, by the names of the mutations.
    fn actions(&self) -> [(&'static str, Command); 5] {
        let last = self.revision();
        let before = if self.failure.is_some() {
            last
        } else {
            last.saturating_sub(1)
        };
        [
            (
                "upgradeRelease",
                Command::Upgrade {
                    deployment: self.with_other_values(),
                },
            ),
            (
                "rollbackRelease",
                Command::Rollback {
                    revision: before.max(1),
                },
            ),
            ("retryOperation", Command::Retry),
            ("cancelOperation", Command::Cancel),
            ("uninstallRelease", Command::Uninstall { forced: false }),
        ]
    }

    fn with_other_values(&self) -> Deployment {
        let subject = self.wanted.values.as_ref().map_or("", |values| &values.subject);
        let values = Sealed {
            subject: format!("another than {subject}"),
            digest: Digest::from_bytes([0; 32]),
        };
        Deployment {
            values: Some(values),
            ..self.wanted.clone()
        }
    }
}
