//! Invitations: a role that is offered to whoever has a name, without asking whether anybody has.
//!
//! The stream is named by the keyed hash of the account's name, so that an invitation looks the same whether the account
//! exists or not: only who is called so learns of it, and nobody becomes a member who did not want to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    account::Scope,
    decider::{Decider, Reject, RejectionKind, Stamp},
    ids::Actor,
    names::RoleName,
    permission::Permission,
    role::{Misplaced, belongs},
};

/// The facts of the invitations to one name. Stored by these names: rename nothing, remove nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    MemberInvited {
        role: RoleName,
        scope: Scope,
    },
    /// `RoleGranted` is in the same append.
    InvitationAccepted {
        role: RoleName,
        scope: Scope,
    },
    /// Whoever gave it took it back, or whoever got it declined.
    InvitationWithdrawn {
        role: RoleName,
        scope: Scope,
    },
    /// None to this name is open any more: whoever had it was erased.
    InvitationsWithdrawn {},
}

/// The invitations to one name that are open, with who gave each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invitations {
    pub open: BTreeMap<(RoleName, Scope), Actor>,
}

#[derive(Debug, Clone)]
pub enum Command {
    /// `permissions` are those the role holds now.
    Invite {
        role: RoleName,
        permissions: BTreeSet<Permission>,
        scope: Scope,
    },
    Accept {
        role: RoleName,
        scope: Scope,
    },
    Withdraw {
        role: RoleName,
        scope: Scope,
    },
    /// Whoever had the name was erased: what was offered to them is not for the next one who takes it.
    WithdrawAll,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("there is no such invitation")]
    NotFound,
    #[error("{0}")]
    Misplaced(Misplaced),
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Misplaced(_) => "ROLE_LEVEL",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::Misplaced(_) => RejectionKind::Invalid,
        }
    }
}

impl Decider for Invitations {
    const CATEGORY: &'static str = "invitation";
    type Command = Command;
    type Event = Event;
    type State = Self;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command, stamp: Stamp) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Invite {
                role,
                permissions,
                scope,
            } => {
                belongs(&role, &permissions, scope.level()).map_err(Rejection::Misplaced)?;
                // Given again by somebody else it stands by their rights.
                if state.open.get(&(role.clone(), scope)) == Some(&stamp.by) {
                    return Ok(vec![]);
                }
                Ok(vec![Event::MemberInvited { role, scope }])
            }
            Command::Accept { role, scope } if state.open.contains_key(&(role.clone(), scope)) => {
                Ok(vec![Event::InvitationAccepted { role, scope }])
            }
            Command::Accept { .. } => Err(Rejection::NotFound),
            Command::Withdraw { role, scope } if state.open.contains_key(&(role.clone(), scope)) => {
                Ok(vec![Event::InvitationWithdrawn { role, scope }])
            }
            Command::Withdraw { .. } => Ok(vec![]),
            Command::WithdrawAll if state.open.is_empty() => Ok(vec![]),
            // One fact, however many there are: nobody keeps an erasure from fitting into one append by inviting.
            Command::WithdrawAll => Ok(vec![Event::InvitationsWithdrawn {}]),
        }
    }

    fn evolve(mut state: Self, event: &Event, stamp: Stamp) -> Self {
        match event {
            Event::MemberInvited { role, scope } => {
                state.open.insert((role.clone(), *scope), stamp.by);
            }
            Event::InvitationAccepted { role, scope } | Event::InvitationWithdrawn { role, scope } => {
                state.open.remove(&(role.clone(), *scope));
            }
            Event::InvitationsWithdrawn {} => state.open.clear(),
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        ids::{AccountId, WorkspaceId},
        permission::Level,
        spec::given,
    };

    fn role() -> RoleName {
        "workspace-regular".parse().unwrap()
    }

    fn scope() -> Scope {
        Scope::Workspace {
            workspace: WorkspaceId::from_uuid(Uuid::from_u128(1)),
        }
    }

    fn invite() -> Command {
        Command::Invite {
            role: role(),
            permissions: BTreeSet::new(),
            scope: scope(),
        }
    }

    fn invited() -> Event {
        Event::MemberInvited {
            role: role(),
            scope: scope(),
        }
    }

    fn accept() -> Command {
        Command::Accept {
            role: role(),
            scope: scope(),
        }
    }

    fn withdrawn() -> Event {
        Event::InvitationWithdrawn {
            role: role(),
            scope: scope(),
        }
    }

    #[test]
    fn an_invitation_is_given_once_and_another_may_stand_by_it_too() {
        given::<Invitations>([]).when(invite()).then([invited()]);
        given::<Invitations>([invited()]).when(invite()).then([]);
        let other = AccountId::from_uuid(Uuid::from_u128(7));
        given::<Invitations>([invited()])
            .when_by(other, invite())
            .then([invited()]);
    }

    #[test]
    fn an_invitation_is_accepted_once() {
        let accepted = Event::InvitationAccepted {
            role: role(),
            scope: scope(),
        };
        given::<Invitations>([invited()])
            .when(accept())
            .then([accepted.clone()]);
        given::<Invitations>([invited(), accepted])
            .when(accept())
            .then_rejected(&Rejection::NotFound);
    }

    #[test]
    fn what_was_withdrawn_is_not_accepted_any_more() {
        let withdraw = || Command::Withdraw {
            role: role(),
            scope: scope(),
        };
        given::<Invitations>([invited()]).when(withdraw()).then([withdrawn()]);
        given::<Invitations>([invited(), withdrawn()])
            .when(accept())
            .then_rejected(&Rejection::NotFound);
        given::<Invitations>([invited(), withdrawn()]).when(withdraw()).then([]);
    }

    #[test]
    fn of_whoever_is_erased_no_invitation_stays_open() {
        let other = Event::MemberInvited {
            role: "workspace-viewer".parse().unwrap(),
            scope: scope(),
        };
        let all = Event::InvitationsWithdrawn {};
        given::<Invitations>([invited(), other.clone()])
            .when(Command::WithdrawAll)
            .then([all.clone()]);
        given::<Invitations>([invited(), other, all])
            .when(accept())
            .then_rejected(&Rejection::NotFound);
        given::<Invitations>([invited(), withdrawn()])
            .when(Command::WithdrawAll)
            .then([]);
    }

    #[test]
    fn nobody_is_invited_to_a_role_of_another_level() {
        let misplaced = Command::Invite {
            role: "auditor".parse().unwrap(),
            permissions: BTreeSet::new(),
            scope: scope(),
        };
        given::<Invitations>([])
            .when(misplaced)
            .then_rejected(&Rejection::Misplaced(Misplaced::Level {
                role: "auditor".parse().unwrap(),
                expected: Level::Platform,
                found: Level::Workspace,
            }));
    }
}
