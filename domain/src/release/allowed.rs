//! What somebody may do to a release now, input aside.

use super::{Command, Deployment, Release};
use crate::{
    access::{Place, Principal},
    allowed::{Allowed, Verdict},
    decider::{Decider, Stamp},
    digest::{Digest, Sealed},
    permission::Permission,
};

/// What a user can ask of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Upgrade,
    Uninstall,
}

impl Action {
    const ALL: [Self; 2] = [Self::Upgrade, Self::Uninstall];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Upgrade => "upgradeRelease",
            Self::Uninstall => "uninstallRelease",
        }
    }

    const fn permission(self) -> Permission {
        match self {
            Self::Upgrade => Permission::ReleaseUpgrade,
            Self::Uninstall => Permission::ReleaseUninstall,
        }
    }
}

impl Release {
    /// Every action on a release in `place`. An upgrade is asked about with other values than it has: to which versions it
    /// may go depends on the app.
    #[must_use]
    pub fn allowed(state: &Option<Self>, principal: &Principal, place: Place, stamp: Stamp) -> Vec<Allowed> {
        let judged = |action: Action| Allowed {
            action: action.as_str(),
            verdict: Verdict::of(principal, action.permission(), place, || {
                Self::decide(state, command(state.as_ref(), action), stamp)
            }),
        };
        Action::ALL.into_iter().map(judged).collect()
    }
}

fn command(release: Option<&Release>, action: Action) -> Command {
    let values = |subject: &str| Sealed {
        subject: subject.to_owned(),
        digest: Digest::from_bytes([0; 32]),
    };
    match (action, release) {
        (Action::Upgrade, Some(release)) => {
            let subject = release.wanted.values.as_ref().map_or("", |values| &values.subject);
            Command::Upgrade {
                deployment: Deployment {
                    values: Some(values(&format!("another than {subject}"))),
                    ..release.wanted.clone()
                },
            }
        }
        (Action::Upgrade | Action::Uninstall, _) => Command::Uninstall,
    }
}
